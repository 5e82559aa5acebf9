//! Long texts in a module's memory that only the second part reads, moved there.
//!
//! A text goes when the first part has no number in it that could be the text's place. Whoever writes such a text has one
//! function that gives it away and that no compiler looks through (`core::hint::black_box`): then no other function knows its
//! place. What is not found, or not left alone by the first part, stays where it is.

use std::collections::BTreeSet;
use std::ops::Range;

use walrus::ir::{Const, Load, Store, Value, Visitor, dfs_in_order};
use walrus::{ConstExpr, DataId, DataKind, MemoryId, Module};

/// A text in a module's memory.
pub(super) struct Text {
    /// The index of the memory.
    memory: usize,
    /// Where in the memory.
    place: i32,
    bytes: Vec<u8>,
}

/// Those of the texts that go.
pub(super) fn found(module: &Module, texts: &[Vec<u8>], moved: &BTreeSet<usize>) -> Vec<Text> {
    let mut numbers = BTreeSet::new();
    for (id, local) in module.funcs.iter_local() {
        if !moved.contains(&id.index()) {
            dfs_in_order(&mut Numbers(&mut numbers), local, local.entry_block());
        }
    }
    let alone = |text: &Text| {
        let begin = u64::from(text.place.cast_unsigned());
        let end = begin + u64::try_from(text.bytes.len()).unwrap_or(u64::MAX);
        // Beside the text itself no pointer to it stands in memory: what holds one would be read by the first part.
        numbers.range(begin..end).next().is_none() && !pointed(module, text)
    };
    texts.iter().filter_map(|text| place(module, text)).filter(alone).collect()
}

/// Where a text stands; none when it stands nowhere, or at two places.
fn place(module: &Module, text: &[u8]) -> Option<Text> {
    let mut places = module.data.iter().flat_map(|data| {
        let DataKind::Active { memory, offset: ConstExpr::Value(Value::I32(base)) } = &data.kind else { return vec![] };
        let hits = data.value.windows(text.len().max(1)).enumerate().filter(|(_, window)| *window == text);
        hits.filter_map(|(at, _)| Some((*memory, base.checked_add(i32::try_from(at).ok()?)?))).collect()
    });
    let (memory, place): (MemoryId, i32) = places.next()?;
    places.next().is_none().then(|| Text { memory: memory.index(), place, bytes: text.to_vec() })
}

fn pointed(module: &Module, text: &Text) -> bool {
    let pointer = text.place.to_le_bytes();
    module.data.iter().any(|data| data.value.as_chunks::<4>().0.contains(&pointer))
}

/// The first part has nothing where they stood.
pub(super) fn keep(module: &mut Module, texts: &[Text]) {
    let ids: Vec<DataId> = module.data.iter().map(walrus::Data::id).collect();
    for (text, id) in texts.iter().flat_map(|text| ids.iter().map(move |id| (text, *id))) {
        let data = module.data.get_mut(id);
        let DataKind::Active { offset: ConstExpr::Value(Value::I32(base)), .. } = data.kind else { continue };
        let at = text.place.checked_sub(base).and_then(|at| usize::try_from(at).ok());
        let range: Option<Range<usize>> = at.map(|at| at..at + text.bytes.len());
        if let Some(part) = range.and_then(|range| data.value.get_mut(range))
            && *part == *text.bytes
        {
            part.fill(0);
        }
    }
}

/// The second part brings them.
pub(super) fn take(module: &mut Module, texts: &[Text]) {
    for text in texts {
        let Some(memory) = module.memories.iter().map(walrus::Memory::id).find(|m| m.index() == text.memory) else {
            continue;
        };
        let offset = ConstExpr::Value(Value::I32(text.place));
        let data: DataId = module.data.add(DataKind::Active { memory, offset }, text.bytes.clone());
        module.memories.get_mut(memory).data_segments.insert(data);
    }
}

/// All numbers in a function that could be places.
struct Numbers<'n>(&'n mut BTreeSet<u64>);

impl Visitor<'_> for Numbers<'_> {
    fn visit_const(&mut self, number: &Const) {
        if let Value::I32(number) = number.value {
            self.0.insert(u64::from(number.cast_unsigned()));
        }
    }

    fn visit_load(&mut self, load: &Load) {
        self.0.insert(load.arg.offset);
    }

    fn visit_store(&mut self, store: &Store) {
        self.0.insert(store.arg.offset);
    }
}
