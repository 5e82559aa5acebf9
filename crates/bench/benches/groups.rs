//! `cargo bench -p estoile-bench --bench groups`: the cost of private rooms' groups, without a relay.

fn main() -> estoile_bench::Outcome<()> {
    estoile_bench::groups()
}
