//! For the tests of rooms: puts rooms in and reaches them, as the account part does, within a turn.

use super::Engine;
use crate::out::{Cx, Out};
use crate::room::Room;
use crate::turn::{Env, Turn, TurnNumber};
use crate::view::RoomId;

impl Engine {
    /// Puts a room in.
    pub(crate) fn put_room(
        &mut self,
        env: &mut Env<'_>,
        make: impl FnOnce(RoomId, &mut Cx<'_>) -> Option<Room>,
    ) -> Turn {
        self.make_turn(env, |engine, cx| {
            let id = RoomId(engine.counters.next_room);
            if let Some(room) = make(id, cx) {
                engine.counters.next_room += 1;
                cx.put(crate::names::ENGINE.to_vec(), &engine.counters);
                engine.add(room);
            }
        })
    }

    /// Does something with a room.
    pub(crate) fn with_room(
        &mut self,
        id: RoomId,
        env: &mut Env<'_>,
        act: impl FnOnce(&mut Room, &mut Cx<'_>),
    ) -> Turn {
        self.make_turn(env, |engine, cx| {
            engine.touched.insert(id);
            act(engine.rooms.get_mut(&id).expect("the room is there"), cx);
        })
    }

    fn make_turn(&mut self, env: &mut Env<'_>, act: impl FnOnce(&mut Self, &mut Cx<'_>)) -> Turn {
        let mut out = Out::default();
        let mut board = core::mem::take(&mut self.board);
        let mut book = core::mem::take(&mut self.book);
        let mut cx = Cx { now: env.now, rng: &mut *env.rng, out: &mut out, board: &mut board, book: &mut book };
        act(self, &mut cx);
        self.due(&mut cx);
        self.flush(&mut cx);
        cx.book.flush(cx.out);
        self.board = board;
        self.book = book;
        self.turns += 1;
        Turn::new(TurnNumber { engine: self.id, turn: self.turns }, out.changes, out.effects)
    }
}
