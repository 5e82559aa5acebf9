//! Splits a module in two: what a first visit runs, and all else, which comes afterwards.
//!
//! The first part stands alone. A function that went to the second part leaves a short one behind, which calls it through a
//! table; the first such call, if the second part is not there yet, asks the program's own [`LOADER`] to fetch it and waits.
//! So a wrong list of what a first visit runs costs time and nothing else.
//!
//! The list is measured, not written: `cargo xtask web --learn` has a browser visit a room and writes down which functions
//! were called and which were not. They are known by [`identity`], which survives most other changes of the program. A function
//! that was not there when it was measured stays in the first part, where it costs bytes; after larger changes it is measured anew.
//!
//! Nothing here knows what a function does.

mod texts;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use walrus::ir::{UnaryOp, Value, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId, FunctionKind, GlobalId, GlobalKind,
    ImportedFunction, LocalFunction, Module, ModuleConfig, RefType, TableId, ValType,
};

/// The exported function that fetches the second part and returns when it is there. It stays in the first part.
pub(crate) const LOADER: &str = "later";
/// What the second part calls the first one.
const FIRST: &str = "first";
/// The first part's table of functions that are in the second.
const TABLE: &str = "later:table";
/// The first part's mark that the second one is there.
const THERE: &str = "later:there";
/// A function of so few instructions is no larger than what it would leave behind.
const TINY: u64 = 8;

/// What decides about the two parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    /// The functions that a first visit does not run, as [`identity`] knows them.
    pub(crate) later: BTreeSet<String>,
    /// Long texts that go with the function that reads them.
    pub(crate) texts: Vec<Vec<u8>>,
}

/// A module in two parts.
pub(crate) struct Parts {
    /// What a browser starts.
    pub(crate) first: Vec<u8>,
    /// What it fetches afterwards.
    pub(crate) later: Vec<u8>,
}

/// A function's name in lists: a hash of its path and its types, without what changes from one compiler or one version of
/// a library to the next. None: the compiler did not name it.
pub(crate) fn identity(name: &str) -> Option<String> {
    let plain = rustc_demangle::try_demangle(name).ok()?;
    let sum = HEXLOWER.encode(&Sha256::digest(format!("{plain:#}")));
    sum.get(..12).map(str::to_owned)
}

/// The functions of a module in the order of their indices, as lists name them.
///
/// # Errors
/// When it is no module.
pub(crate) fn identities(wasm: &[u8]) -> Result<Vec<String>> {
    let module = parse(wasm)?;
    let names = module.funcs.iter().map(|f| f.name.as_deref().and_then(identity).unwrap_or_else(|| "-".to_owned()));
    Ok(names.collect())
}

/// Without names and other customs: what a browser needs of a module that is not split.
///
/// # Errors
/// When it is no module.
pub(crate) fn bare(wasm: &[u8]) -> Result<Vec<u8>> {
    Ok(parse(wasm)?.emit_wasm())
}

/// Splits a module that still has its functions' names.
///
/// # Errors
/// When it is no module, exports no [`LOADER`], or has what this can't split.
pub(crate) fn split(wasm: &[u8], lists: &Lists) -> Result<Parts> {
    let (mut first, mut later) = (parse(wasm)?, parse(wasm)?);
    let plan = Plan::new(&first, &lists.later)?;
    let texts = texts::found(&first, &lists.texts, &plan.moved);
    plan.keep(&mut first)?;
    plan.take(&mut later)?;
    texts::keep(&mut first, &texts);
    texts::take(&mut later, &texts);
    walrus::passes::gc::run(&mut first);
    walrus::passes::gc::run(&mut later);
    Ok(Parts { first: first.emit_wasm(), later: later.emit_wasm() })
}

fn parse(wasm: &[u8]) -> Result<Module> {
    let mut config = ModuleConfig::new();
    config.generate_name_section(false).generate_producers_section(false);
    config.parse(wasm).context("this is no WebAssembly")
}

/// Who goes where. Functions by their index, since the two parts are made of two readings of one module.
struct Plan {
    /// In the second part.
    moved: BTreeSet<usize>,
    /// Those of them that the first part calls, in the order of their places in the table.
    called: Vec<usize>,
    /// Those of the first part, imports included, that the second calls.
    shared: BTreeSet<usize>,
    /// The loader.
    loader: usize,
}

impl Plan {
    fn new(module: &Module, late: &BTreeSet<String>) -> Result<Self> {
        let ids: Vec<FunctionId> = module.funcs.iter().map(walrus::Function::id).collect();
        ensure!(ids.iter().enumerate().all(|(at, id)| id.index() == at), "functions are not in their order");
        let loader = module.exports.get_func(LOADER).with_context(|| format!("the module exports no {LOADER}"))?;
        let mut staying: BTreeSet<usize> = module
            .funcs
            .iter()
            .filter(|f| match &f.kind {
                FunctionKind::Local(local) => {
                    let name = f.name.as_deref().and_then(identity);
                    name.is_none_or(|name| !late.contains(&name)) || local.size() <= TINY
                }
                FunctionKind::Import(_) | FunctionKind::Uninitialized(_) => true,
            })
            .map(|f| f.id().index())
            .collect();
        close(module, loader, &mut staying);
        let moved: BTreeSet<usize> = (0..ids.len()).filter(|at| !staying.contains(at)).collect();
        let (mut called, mut shared) = (outside(module), BTreeSet::new());
        for (id, local) in module.funcs.iter_local() {
            let calls = calls(local).into_iter().map(|id| id.index());
            if moved.contains(&id.index()) { shared.extend(calls) } else { called.extend(calls) }
        }
        called.retain(|at| moved.contains(at));
        shared.retain(|at| !moved.contains(at));
        Ok(Self { moved, called: called.into_iter().collect(), shared, loader: loader.index() })
    }

    /// Makes the first part.
    fn keep(&self, module: &mut Module) -> Result<()> {
        let ids = indexed(module);
        let size = u64::try_from(self.called.len())?;
        let table = module.tables.add_local(false, size, Some(size), RefType::FUNCREF);
        let there = module.globals.add_local(ValType::I32, true, false, ConstExpr::Value(Value::I32(0)));
        module.exports.add(TABLE, table);
        module.exports.add(THERE, there);
        let loader = id(&ids, self.loader)?;
        let mut ready = FunctionBuilder::new(&mut module.types, &[], &[]);
        ready.func_body().global_get(there).unop(UnaryOp::I32Eqz).if_else(
            None,
            |then| {
                then.call(loader);
            },
            |_| {},
        );
        let ready = ready.finish(vec![], &mut module.funcs);
        for (place, at) in self.called.iter().enumerate() {
            let moved = id(&ids, *at)?;
            let left = leave(module, moved, ready, table, i32::try_from(place)?);
            module.funcs.get_mut(moved).kind = FunctionKind::Local(left);
        }
        for (name, item) in state(module) {
            module.exports.add(&name, item);
        }
        for at in &self.shared {
            module.exports.add(&function(*at), id(&ids, *at)?);
        }
        Ok(())
    }

    /// Makes the second part.
    fn take(&self, module: &mut Module) -> Result<()> {
        let ids = indexed(module);
        bereave(module);
        borrow_state(module);
        for at in (0..ids.len()).filter(|at| !self.moved.contains(at)) {
            borrow(module, id(&ids, at)?, &function(at));
        }
        let size = u64::try_from(self.called.len())?;
        let (table, _) = module.add_import_table(FIRST, TABLE, false, size, Some(size), RefType::FUNCREF);
        let (there, _) = module.add_import_global(FIRST, THERE, ValType::I32, true, false);
        let items = self.called.iter().map(|at| id(&ids, *at)).collect::<Result<Vec<_>>>()?;
        let kind = ElementKind::Active { table, offset: ConstExpr::Value(Value::I32(0)) };
        let element = module.elements.add(kind, ElementItems::Functions(items));
        module.tables.get_mut(table).elem_segments.insert(element);
        let mut start = FunctionBuilder::new(&mut module.types, &[], &[]);
        start.func_body().i32_const(1).global_set(there);
        module.start = Some(start.finish(vec![], &mut module.funcs));
        Ok(())
    }
}

/// What a moved function leaves behind: waits for the second part, and calls it there.
fn leave(module: &mut Module, moved: FunctionId, ready: FunctionId, table: TableId, place: i32) -> LocalFunction {
    let ty = module.funcs.get(moved).ty();
    let (params, results) = module.types.params_results(ty);
    let (params, results) = (params.to_vec(), results.to_vec());
    let args: Vec<_> = params.iter().map(|ty| module.locals.add(*ty)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    let mut body = builder.func_body();
    body.call(ready);
    for arg in &args {
        body.local_get(*arg);
    }
    body.i32_const(place).call_indirect(ty, table);
    builder.local_func(args)
}

/// What the two parts share beside functions, with the names by which they do. It is in the module's own order.
fn state(module: &Module) -> Vec<(String, ExportItem)> {
    let memories = module.memories.iter().map(|m| (format!("m{}", m.id().index()), ExportItem::Memory(m.id())));
    let tables = module.tables.iter().map(|t| (format!("t{}", t.id().index()), ExportItem::Table(t.id())));
    let globals = module.globals.iter().map(|g| (format!("g{}", g.id().index()), ExportItem::Global(g.id())));
    memories.chain(tables).chain(globals).collect()
}

/// Takes from a module what only the first part does: its start, its exports, what it puts into memory and tables.
fn bereave(module: &mut Module) {
    module.start = None;
    let exports: Vec<_> = module.exports.iter().map(walrus::Export::id).collect();
    exports.into_iter().for_each(|export| module.exports.delete(export));
    module.memories.iter_mut().for_each(|memory| memory.data_segments.clear());
    module.tables.iter_mut().for_each(|table| table.elem_segments.clear());
    let data: Vec<_> = module.data.iter().map(walrus::Data::id).collect();
    data.into_iter().for_each(|data| module.data.delete(data));
    let elements: Vec<_> = module.elements.iter().map(walrus::Element::id).collect();
    elements.into_iter().for_each(|element| module.elements.delete(element));
}

/// Memory, tables and globals are the first part's.
fn borrow_state(module: &mut Module) {
    for (name, item) in state(module) {
        match item {
            ExportItem::Memory(memory) => {
                let import = module.imports.add(FIRST, &name, memory);
                module.memories.get_mut(memory).import = Some(import);
            }
            ExportItem::Table(table) => {
                let import = module.imports.add(FIRST, &name, table);
                let table = module.tables.get_mut(table);
                (table.import, table.init) = (Some(import), None);
            }
            ExportItem::Global(global) => borrow_global(module, global, &name),
            ExportItem::Function(_) | ExportItem::Tag(_) => {}
        }
    }
}

fn borrow_global(module: &mut Module, global: GlobalId, name: &str) {
    let import = module.imports.add(FIRST, name, global);
    module.globals.get_mut(global).kind = GlobalKind::Import(import);
}

/// A function is the first part's, also where that has it from outside.
fn borrow(module: &mut Module, function: FunctionId, name: &str) {
    let ty = module.funcs.get(function).ty();
    if let FunctionKind::Import(known) = &module.funcs.get(function).kind {
        let import = module.imports.get_mut(known.import);
        FIRST.clone_into(&mut import.module);
        name.clone_into(&mut import.name);
    } else {
        let import = module.imports.add(FIRST, name, function);
        module.funcs.get_mut(function).kind = FunctionKind::Import(ImportedFunction { import, ty });
    }
}

fn function(at: usize) -> String {
    format!("f{at}")
}

fn indexed(module: &Module) -> Vec<FunctionId> {
    module.funcs.iter().map(walrus::Function::id).collect()
}

fn id(ids: &[FunctionId], at: usize) -> Result<FunctionId> {
    ids.get(at).copied().with_context(|| format!("there is no function {at}"))
}

/// Functions that are called through a table, from outside, or at the start.
fn outside(module: &Module) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = module.start.iter().map(|id| id.index()).collect();
    for export in module.exports.iter() {
        if let ExportItem::Function(id) = export.item {
            found.insert(id.index());
        }
    }
    for element in module.elements.iter() {
        match &element.items {
            ElementItems::Functions(ids) => found.extend(ids.iter().map(|id| id.index())),
            ElementItems::Expressions(_, items) => found.extend(items.iter().filter_map(|item| match item {
                ConstExpr::RefFunc(id) => Some(id.index()),
                _ => None,
            })),
        }
    }
    found
}

/// Adds a function and all that it calls.
fn close(module: &Module, from: FunctionId, into: &mut BTreeSet<usize>) {
    let (mut open, mut seen) = (vec![from], BTreeSet::new());
    while let Some(id) = open.pop() {
        if seen.insert(id.index()) {
            into.insert(id.index());
            if let FunctionKind::Local(local) = &module.funcs.get(id).kind {
                open.extend(calls(local));
            }
        }
    }
}

fn calls(local: &LocalFunction) -> Vec<FunctionId> {
    struct Calls(Vec<FunctionId>);
    impl Visitor<'_> for Calls {
        fn visit_function_id(&mut self, function: &FunctionId) {
            self.0.push(*function);
        }
    }
    let mut calls = Calls(vec![]);
    dfs_in_order(&mut calls, local, local.entry_block());
    calls.0
}

#[cfg(test)]
mod tests;
