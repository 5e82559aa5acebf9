//! How many sockets the system lets this process have.

use crate::log::{self, Count};

/// Files that are no session's: the store, the listeners, the runtime, the standard streams, collectors, and room to
/// look at `/proc`.
const RESERVED: u64 = 96;

/// Raises the limit of open files as far as this process may, and says how many sessions that allows; `None` where the
/// system has no such limit.
pub(crate) fn raise_limit() -> Option<u64> {
    let files = raise()?;
    let sessions = files.saturating_sub(RESERVED);
    log::file_limit(Count(files), Count(sessions));
    Some(sessions)
}

#[cfg(unix)]
fn raise() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok() {
        return getrlimit(Resource::Nofile).current;
    }
    current
}

#[cfg(not(unix))]
fn raise() -> Option<u64> {
    None
}
