//! `cargo bench -p estoile-bench [-- PART …]`: see the crate's own page.

fn main() -> estoile_bench::Outcome<()> {
    estoile_bench::run(env!("CARGO_TARGET_TMPDIR"))
}
