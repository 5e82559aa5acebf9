//! A small module is split: who goes where, and that the parts fit together. That they run is tested in a browser.

use walrus::{DataKind, Export, Import, ImportKind};

use super::*;

/// `run` calls `rare`, which calls `shared` and what comes from outside; a table holds `rare`. The function `reads` reads
/// [`TEXT`].
fn sample(with_loader: bool, reads: &str) -> Vec<u8> {
    let mut module = Module::with_config(ModuleConfig::new());
    let ty = module.types.add(&[ValType::I32], &[ValType::I32]);
    let (outer, _) = module.add_import_func("./glue.js", "outer", ty);
    let memory = module.memories.add_local(false, false, 1, None, None);
    module.exports.add("memory", memory);
    let (before, offset) = (b"before ".to_vec(), ConstExpr::Value(Value::I32(PLACE - 7)));
    let data = module.data.add(DataKind::Active { memory, offset }, [before, TEXT.to_vec()].concat());
    module.memories.get_mut(memory).data_segments.insert(data);
    let function = |name: &str, module: &mut Module, calls: &[FunctionId]| {
        let mut builder = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[ValType::I32]);
        let arg = module.locals.add(ValType::I32);
        let mut body = builder.func_body();
        body.local_get(arg);
        for call in calls {
            body.call(*call);
        }
        if name == reads {
            body.i32_const(PLACE).binop(walrus::ir::BinaryOp::I32Add);
        }
        for number in 0..10 {
            body.i32_const(number).binop(walrus::ir::BinaryOp::I32Add);
        }
        let id = builder.finish(vec![arg], &mut module.funcs);
        module.funcs.get_mut(id).name = Some(name.to_owned());
        id
    };
    let shared = function(SHARED, &mut module, &[]);
    let rare = function(RARE, &mut module, &[shared, outer]);
    let rarer = function(RARER, &mut module, &[rare]);
    let run = function(RUN, &mut module, &[rare, shared]);
    module.exports.add("run", run);
    module.exports.add("rarer", rarer);
    if with_loader {
        let mut loader = FunctionBuilder::new(&mut module.types, &[], &[]);
        loader.func_body().i32_const(1).call(outer).drop();
        let loader = loader.finish(vec![], &mut module.funcs);
        module.exports.add(LOADER, loader);
    }
    let elements = ElementItems::Functions(vec![rare]);
    let table = module.tables.add_local(false, 1, Some(1), RefType::FUNCREF);
    let kind = ElementKind::Active { table, offset: ConstExpr::Value(Value::I32(0)) };
    let element = module.elements.add(kind, elements);
    module.tables.get_mut(table).elem_segments.insert(element);
    module.exports.add("table", table);
    module.emit_wasm()
}

const SHARED: &str = "_RNvCs1234_4star6shared";
const RARE: &str = "_RNvCs1234_4star4rare";
const RARER: &str = "_RNvCs1234_4star5rarer";
const RUN: &str = "_RNvCs1234_4star3run";

/// All but these are known to come later.
fn list(names: &[&str]) -> Lists {
    let others = [SHARED, RARE, RARER, RUN].into_iter().filter(|name| !names.contains(name));
    let later = others.map(|name| identity(name).unwrap()).collect();
    Lists { later, texts: vec![TEXT.to_vec(), b"a text that is nowhere".to_vec()] }
}

const TEXT: &[u8] = b"abacus abdomen abide able";
/// Where it stands in memory.
const PLACE: i32 = 4_096;

fn sizes(module: &Module) -> Vec<u64> {
    module.funcs.iter_local().map(|(_, local)| local.size()).collect()
}

#[test]
fn what_comes_later_is_called_through_the_table() {
    let parts = split(&sample(true, RARE), &list(&[RUN, SHARED])).unwrap();
    let (first, later) = (parse(&parts.first).unwrap(), parse(&parts.later).unwrap());
    // `run` and `shared` are whole, the loader stays, `rare` and `rarer` and the wait for them are short.
    assert_eq!(sizes(&first).iter().filter(|size| **size > 20).count(), 2, "{:?}", sizes(&first));
    assert_eq!(sizes(&later).iter().filter(|size| **size > 20).count(), 2, "{:?}", sizes(&later));
    let exported: BTreeSet<String> = first.exports.iter().map(|Export { name, .. }| name.clone()).collect();
    for Import { module, name, .. } in later.imports.iter() {
        assert!(module == FIRST && exported.contains(name), "{module} {name} is not to be had");
    }
    for kept in ["memory", "table", "run", "rarer", LOADER] {
        assert!(exported.contains(kept), "{kept} is exported no longer");
    }
    assert!(first.imports.iter().all(|import| import.module == "./glue.js"));
    let functions = later.imports.iter().filter(|i| matches!(i.kind, ImportKind::Function(_))).count();
    assert_eq!(functions, 2, "`shared`, and what comes from outside by way of the first part");
    assert!(later.start.is_some() && later.exports.iter().next().is_none());
}

#[test]
fn a_function_that_no_list_knows_stays() {
    let later = [identity(RARER).unwrap()].into();
    let parts = split(&sample(true, RARE), &Lists { later, texts: Vec::new() }).unwrap();
    let later = parse(&parts.later).unwrap();
    assert_eq!(sizes(&later).iter().filter(|size| **size > 20).count(), 1, "`rarer` alone: {:?}", sizes(&later));
}

#[test]
fn one_module_and_one_list_give_the_same_bytes() {
    let (module, list) = (sample(true, RARE), list(&[RUN]));
    let (one, two) = (split(&module, &list).unwrap(), split(&module, &list).unwrap());
    assert_eq!((one.first, one.later), (two.first, two.later));
}

#[test]
fn a_module_that_can_not_wait_is_refused() {
    let error = format!("{:#}", split(&sample(false, RARE), &list(&[])).err().unwrap());
    assert!(error.contains(LOADER), "{error}");
    assert!(split(b"no module", &list(&[])).is_err());
}

#[test]
fn names_outlive_another_compiler_and_another_version() {
    assert_eq!(identity(RARE), identity("_RNvCs9x8y_4star4rare"), "the crate's hash changed");
    assert_ne!(identity(RARE), identity(RARER));
    assert_eq!(identity("start externref shim"), None);
    let names = identities(&sample(true, RARE)).unwrap();
    assert!(names.contains(&identity(RUN).unwrap()) && names.contains(&"-".to_owned()), "{names:?}");
}

#[test]
fn a_text_goes_where_it_is_read() {
    let texts = |wasm: &[u8]| {
        let module = parse(wasm).unwrap();
        module.data.iter().map(|data| data.value.clone()).collect::<Vec<_>>()
    };
    let parts = split(&sample(true, RARE), &list(&[RUN, SHARED])).unwrap();
    assert_eq!(texts(&parts.first), [[b"before ".to_vec(), vec![0; TEXT.len()]].concat()]);
    assert_eq!(texts(&parts.later), [TEXT.to_vec()]);
    let parts = split(&sample(true, RUN), &list(&[RUN, SHARED])).unwrap();
    assert_eq!(texts(&parts.first), [[b"before ".to_vec(), TEXT.to_vec()].concat()], "the first part reads it");
    assert!(texts(&parts.later).is_empty());
}
