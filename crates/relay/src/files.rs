//! How many sockets the system lets this process have.

use crate::log::{self, Count};

/// Files that are no session's: the store's small ones, the listeners, the runtime, the standard streams, collectors, and
/// room to look at `/proc`.
const RESERVED: u64 = 96;

/// Who may have how many of the files. Sessions and handshakes come from outside: however many come, the store must be
/// able to open its next segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    pub(crate) sessions: u64,
    pub(crate) handshakes: u64,
}

/// Raises the limit of open files as far as this process may, and shares them out; as much as anybody likes where the
/// system has no such limit. `segments` are the files of a full store.
pub(crate) fn raise_limit(segments: u64, handshakes: u64) -> Shares {
    let Some(files) = raise() else { return Shares { sessions: u64::MAX, handshakes } };
    let shares = share(files, segments, handshakes);
    log::file_limit(Count(files), Count(shares.sessions));
    shares
}

fn share(files: u64, segments: u64, handshakes: u64) -> Shares {
    // Where there are few, a store as large as it may be and all handshakes at once must not leave none for sessions.
    let (segments, handshakes) = (segments.min(files / 4), handshakes.min((files / 8).max(1)));
    Shares { sessions: files.saturating_sub(RESERVED + segments + handshakes), handshakes }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_has_files_left_when_all_others_are_taken() {
        assert_eq!(share(1 << 20, 640, 1_024), Shares { sessions: (1 << 20) - 96 - 640 - 1_024, handshakes: 1_024 });
        assert_eq!(share(1_024, 640, 1_024), Shares { sessions: 1_024 - 96 - 256 - 128, handshakes: 128 });
        for files in [0, 10, 100, 256, 4_096] {
            let Shares { sessions, handshakes } = share(files, 640, 1_024);
            assert!(sessions == 0 || sessions + handshakes + 96 < files, "{files}");
            assert!(handshakes > 0);
        }
    }
}
