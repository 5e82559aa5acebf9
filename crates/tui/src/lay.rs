//! How one item of the timeline breaks into rows at a width. No colours and no clock: only what the rows say.

use std::rc::Rc;

use estoile_engine::{DeliveryState, LetterId, MessageView, Notice};
use jiff::tz::TimeZone;

use crate::timeline::{Body, Item};
use crate::{inert, text, time};

/// Messages of one sender that follow each other this closely share one header.
const GROUP_MS: u64 = 5 * 60 * 1000;

/// A message of more rows than this is folded, so that nobody can push all else off the screen.
const FOLD_ABOVE: usize = 40;

/// Rows of a folded message that are shown.
const FOLD_TO: usize = 30;

/// Columns before the text: the mark and a space.
pub(crate) const INDENT: usize = 2;

/// Columns kept free for a state (`not sent`, `seen 999`) and for a countdown (`23h59`), so that neither moves the text.
const STATE_COLUMNS: usize = 11;
const TTL_COLUMNS: usize = 7;

/// A row of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Day(time::Day),
    Unread,
    Header,
    Text(String),
    /// So many more rows are folded away.
    Fold(usize),
    /// A row of its own for state and countdown.
    Meta,
    Why(String),
    /// The first row of a notice carries its mark.
    Notice {
        first: bool,
        text: String,
    },
    Advice {
        first: bool,
        text: String,
    },
}

/// What stands above an item and because of what stands above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decor {
    day: Option<time::Day>,
    unread: bool,
    header: bool,
}

/// An item in rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Laid {
    width: usize,
    decor: Decor,
    pub(crate) rows: Vec<Row>,
    /// The row on which state and countdown stand, if there are any.
    pub(crate) meta: Option<usize>,
}

impl Decor {
    fn of(item: &Item, above: Option<&Item>, unread_from: Option<LetterId>, zone: &TimeZone) -> Self {
        let day = time::day(item.at(), zone);
        let new_day = above.is_none_or(|a| time::day(a.at(), zone) != day);
        let unread = item.message().is_some_and(|m| unread_from == Some(m.id));
        let grouped = match (above.and_then(Item::message), item.message()) {
            (Some(a), Some(m)) => {
                a.key == m.key && a.shown == m.shown && m.sent_at.saturating_sub(a.sent_at) < GROUP_MS
            }
            _ => false,
        };
        let header = item.message().is_some() && (new_day || unread || !grouped);
        Self { day: new_day.then_some(day), unread, header }
    }
}

/// The item's rows, from the last time if nothing that matters has changed.
pub(crate) fn lay(
    item: &Item,
    above: Option<&Item>,
    width: usize,
    unread_from: Option<LetterId>,
    zone: &TimeZone,
) -> Rc<Laid> {
    if let Some(laid) = item.laid.borrow().as_ref()
        && laid.width == width
    {
        return Rc::clone(laid);
    }
    let decor = Decor::of(item, above, unread_from, zone);
    let mut laid = Laid { width, decor, rows: Vec::new(), meta: None };
    laid.rows.extend(decor.day.map(Row::Day));
    if decor.unread {
        laid.rows.push(Row::Unread);
    }
    match &item.body {
        Body::Message(m) => lay_message(m, item.unfolded, &mut laid),
        Body::Notice(n) => lay_notice(n, &mut laid),
    }
    let laid = Rc::new(laid);
    item.laid.replace(Some(Rc::clone(&laid)));
    laid
}

fn lay_message(message: &MessageView, unfolded: bool, laid: &mut Laid) {
    let room = laid.width.saturating_sub(INDENT + 1);
    if laid.decor.header {
        laid.rows.push(Row::Header);
    }
    let mut rows = text::wrap(inert::block(&message.text).trim_end_matches('\n'), room);
    let hidden = if rows.len() > FOLD_ABOVE && !unfolded { rows.len() - FOLD_TO } else { 0 };
    rows.truncate(rows.len() - hidden);
    let last = rows.last().map_or(0, |r| text::width(r));
    laid.rows.extend(rows.into_iter().map(Row::Text));
    if hidden > 0 {
        laid.rows.push(Row::Fold(hidden));
    }
    let reserve = if message.own { STATE_COLUMNS } else { 0 } + if message.ends_at.is_some() { TTL_COLUMNS } else { 0 };
    if reserve > 0 {
        if hidden > 0 || last + reserve > room {
            laid.rows.push(Row::Meta);
        }
        laid.meta = Some(laid.rows.len() - 1);
    }
    if let DeliveryState::Failed { why } = &message.state {
        laid.rows.extend(text::wrap(&inert::line(why), room).into_iter().map(Row::Why));
    }
}

fn lay_notice(notice: &Notice, laid: &mut Laid) {
    let room = laid.width.saturating_sub(INDENT + 1);
    let detail = text::wrap(&inert::line(&notice.detail), room);
    laid.rows.extend(detail.into_iter().enumerate().map(|(i, text)| Row::Notice { first: i == 0, text }));
    let advice = text::wrap(&inert::line(&notice.advice), room.saturating_sub(3));
    laid.rows.extend(advice.into_iter().enumerate().map(|(i, text)| Row::Advice { first: i == 0, text }));
}
