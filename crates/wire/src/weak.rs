//! Defences that can be switched off, one at a time, to prove that the laboratory would notice.
//!
//! In every ordinary build nothing is weak: [`is`] is the constant `false`, and the compiler takes it out. Only a build with
//! `--cfg estoile_weak` has the switch. It is a cfg of the compiler and no Cargo feature, because features of one crate are
//! switched on for all that depend on it.

/// Whether notices of this kind, by the word used in JSON, are kept from the user on this thread.
#[cfg(not(estoile_weak))]
#[must_use]
#[inline]
pub const fn silences(_: &str) -> bool {
    false
}

/// Whether this defence is off on this thread.
#[cfg(not(estoile_weak))]
#[must_use]
#[inline]
pub const fn is(_: &str) -> bool {
    false
}

#[cfg(estoile_weak)]
pub use switched::{is, silences, without};

#[cfg(estoile_weak)]
mod switched {
    use std::cell::Cell;

    std::thread_local! {
        static OFF: Cell<Option<&'static str>> = const { Cell::new(None) };
    }

    /// Whether this defence is off on this thread.
    #[must_use]
    pub fn is(defence: &str) -> bool {
        OFF.get() == Some(defence)
    }

    /// Whether notices of this kind, by the word used in JSON, are kept from the user on this thread.
    #[must_use]
    pub fn silences(kind: &str) -> bool {
        let kinds = OFF.get().and_then(|off| off.strip_prefix("silence "));
        kinds.is_some_and(|kinds| kinds.split(' ').any(|silent| silent == kind))
    }

    /// Does something with one defence switched off on this thread.
    pub fn without<T>(defence: &'static str, what: impl FnOnce() -> T) -> T {
        /// On again at the end, also after a panic.
        struct On;
        impl Drop for On {
            fn drop(&mut self) {
                OFF.set(None);
            }
        }
        OFF.set(Some(defence));
        let _on = On;
        what()
    }
}
