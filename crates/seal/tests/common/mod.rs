//! The Python that some tests compare with: `cargo xtask test` installs one under `target/` and names it in
//! `ESTOILE_PYTHON`. Without one these tests fail and say so: they never skip.

use std::process::{Child, Command, Stdio};

/// Starts a script in a Python that can import `cryptography`, with pipes to and from it.
pub(crate) fn python(script: &str) -> Child {
    let python = std::env::var("ESTOILE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let importable = Command::new(&python).args(["-c", "import cryptography.fernet"]).output();
    assert!(
        importable.is_ok_and(|out| out.status.success()),
        "this test needs a Python that can import `cryptography`, and {python} can't; run `cargo xtask test`, which installs one"
    );
    Command::new(&python).args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}
