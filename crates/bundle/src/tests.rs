//! What becomes of the files, and what is refused.

use super::*;

fn files(list: &[(&str, &str)]) -> Files {
    list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn text<'b>(bundle: &'b Bundle, path: &str) -> &'b str {
    let at = path.replace("BUNDLE", &bundle.id);
    std::str::from_utf8(bundle.files.get(&at).unwrap_or_else(|| panic!("{at} is missing"))).unwrap()
}

const INDEX: (&str, &str) = (
    "index.html",
    "<!doctype html><script type=\"module\" src=\"{{assets}}/main.js\" integrity=\"{{sri:main.js}}\"></script>",
);

fn sample() -> Bundle {
    let made = files(&[("page.js", "export default {{}};"), ("page_bg.wasm", "\0asm")]);
    let fixed = files(&[
        INDEX,
        ("main.js", "fetch('./page_bg.wasm', {integrity: '{{sri:page_bg.wasm}}'})"),
        ("icons/star.svg", "<svg/>"),
        ("sw.js", "const files = {{files}}; // {{bundle}}"),
    ]);
    compose(made, fixed).unwrap()
}

#[test]
fn assets_stand_under_the_bundles_name_and_pages_at_the_root() {
    let bundle = sample();
    assert_eq!(bundle.id.len(), 16);
    let paths: Vec<String> = bundle.files.keys().map(|p| p.replace(&bundle.id, "BUNDLE")).collect();
    let want = [
        "a/BUNDLE/icons/star.svg",
        "a/BUNDLE/main.js",
        "a/BUNDLE/page.js",
        "a/BUNDLE/page_bg.wasm",
        "index.html",
        "sw.js",
    ];
    assert_eq!(paths, want);
    assert!(text(&bundle, "index.html").contains(&format!("src=\"/a/{}/main.js\"", bundle.id)));
    let cached = format!("[\"/\",\"/a/{0}/icons/star.svg\",\"/a/{0}/main.js\",\"/a/{0}/page.js\"", bundle.id);
    assert!(text(&bundle, "sw.js").contains(&cached) && !text(&bundle, "sw.js").contains("\"/sw.js\""));
    assert_eq!(text(&bundle, "a/BUNDLE/page.js"), "export default {{}};", "what was made is not expanded");
}

#[test]
fn hashes_are_those_of_the_expanded_files() {
    let bundle = sample();
    let digest = |path: &str| {
        use sha2::Sha384;
        data_encoding::BASE64.encode(&Sha384::digest(text(&bundle, path).as_bytes()))
    };
    assert!(text(&bundle, "a/BUNDLE/main.js").contains(&format!("'sha384-{}'", digest("a/BUNDLE/page_bg.wasm"))));
    assert!(text(&bundle, "index.html").contains(&format!("\"sha384-{}\"", digest("a/BUNDLE/main.js"))));
}

#[test]
fn every_byte_counts_in_the_name() {
    let one = compose(files(&[("page.js", "1")]), files(&[INDEX, ("main.js", "")])).unwrap();
    let two = compose(files(&[("page.js", "2")]), files(&[INDEX, ("main.js", "")])).unwrap();
    let title = format!("{} ", INDEX.1);
    let three = compose(files(&[("page.js", "1")]), files(&[("index.html", &title), ("main.js", "")])).unwrap();
    let again = compose(files(&[("page.js", "1")]), files(&[INDEX, ("main.js", "")])).unwrap();
    assert!(one.id != two.id && one.id != three.id && two.id != three.id);
    assert_eq!((one.id, one.files), (again.id, again.files));
}

#[test]
fn mistakes_are_told_by_name() {
    let fails = |fixed: &[(&str, &str)], word: &str| {
        let mut all = files(&[("index.html", "")]);
        all.extend(files(fixed));
        let error = format!("{:#}", compose(files(&[("page.js", "")]), all).unwrap_err());
        assert!(error.contains(word), "{error}");
    };
    fails(&[("a.js", "{{sri:b.js}}"), ("b.js", "{{sri:a.js}}")], "own hash");
    fails(&[("a.js", "{{sri:nowhere.js}}")], "no file nowhere.js");
    fails(&[("a.js", "{{assets}}")], "at the root");
    fails(&[("index.html", "{{assests}}")], "{{assests}}");
    fails(&[("page.js", "")], "page.js");
    fails(&[("index.html", "<script>alert(1)</script>")], "script");
    fails(&[("index.html", "<p style='color:red'>")], "style");
    fails(&[("index.html", "<body onload='x()'>")], "onload");
    fails(&[("index.html", "<style>p{}</style>")], "style");
    assert!(compose(Files::new(), Files::new()).is_err(), "a bundle without a page");
}

#[test]
fn a_folder_is_replaced_whole_and_has_its_sums() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("web");
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("stale.js"), "old").unwrap();
    let made = files(&[("page.js", &"let x = 1;\n".repeat(200))]);
    let bundle = compose(made, files(&[INDEX, ("main.js", "1"), ("dot.png", "not brotli's")])).unwrap();
    let sizes = write::folder(&bundle, &out).unwrap();
    let written = read(&out).unwrap();
    assert!(!written.contains_key("stale.js"));
    let sums: BTreeMap<String, String> = serde_json::from_slice(&written["manifest.json"]).unwrap();
    assert_eq!(sums.keys().collect::<Vec<_>>(), bundle.files.keys().collect::<Vec<_>>());
    for (path, sum) in &sums {
        assert_eq!(*sum, super::sum(&written[path]), "{path}");
    }
    let page = format!("a/{}/page.js", bundle.id);
    let small = &written[&format!("{page}.br")];
    let mut plain = vec![];
    brotli::BrotliDecompress(&mut small.as_slice(), &mut plain).unwrap();
    assert_eq!(plain, written[&page]);
    let size = sizes.iter().find(|s| s.path == page).unwrap();
    assert_eq!((size.plain, size.carried), (plain.len(), small.len()));
    assert!(!written.keys().any(|p| p.ends_with(".png.br") || p.ends_with("main.js.br")), "nothing is gained there");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside the folder");
}
