//! The processes that are measured: a relay, and a bare fan-out beside it. Each is this program again.
//!
//! A process ends when its standard input does, so that none outlives the benchmark.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use estoile_hub::config::Rate;
use estoile_relay::{Relay, RelayConfig, Tls};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{Outcome, floors};

const ROLE: &str = "ESTOILE_BENCH_ROLE";
const FOLDER: &str = "ESTOILE_BENCH_FOLDER";

/// What a process is started as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Relay,
    SecureRelay,
    Fanout,
}

impl Role {
    const ALL: [(&'static str, Self); 3] =
        [("relay", Self::Relay), ("secure relay", Self::SecureRelay), ("fan-out", Self::Fanout)];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }
}

/// What this process is, if it is not the benchmark itself.
pub(crate) fn role() -> Option<Role> {
    let name = std::env::var(ROLE).ok()?;
    Role::ALL.iter().find(|(known, _)| *known == name).map(|(_, role)| *role)
}

/// Is that process until standard input ends.
pub(crate) fn play(role: Role) -> Outcome<()> {
    raise_file_limit()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if role == Role::Fanout {
        return runtime.block_on(floors::fan_out());
    }
    let folder = PathBuf::from(std::env::var_os(FOLDER).ok_or("no folder")?);
    let mut config = RelayConfig::new("127.0.0.1:0".parse()?, folder);
    if role == Role::SecureRelay {
        config.tls = Tls::SelfMade { names: vec!["localhost".to_owned()] };
    }
    // One machine stands for thousands here: what is measured is the relay, not its patience with one peer.
    config.hub.creations = Rate::per_second(1 << 20);
    config.hub.attaches = Rate::per_second(1 << 20);
    config.hub.appends = Rate::per_second(1 << 30);
    let _guard = runtime.enter();
    let relay = Relay::start(config)?;
    ready(relay.address());
    wait_for_the_end()?;
    runtime.block_on(relay.shutdown())?;
    Ok(())
}

/// Tells the benchmark where to come.
pub(crate) fn ready(address: SocketAddr) {
    println!("{address}");
}

/// Blocks until the benchmark lets go of this process.
pub(crate) fn wait_for_the_end() -> Outcome<()> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Thousands of sockets need as many files as the system allows.
pub(crate) fn raise_file_limit() -> Outcome<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(())
}

/// A process under measurement; it ends with this value.
pub(crate) struct Process {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// From its start to its first word.
    pub(crate) started_in: Duration,
}

impl Process {
    pub(crate) fn start(role: Role, folder: &Path) -> Outcome<Self> {
        let begun = Instant::now();
        let mut child = Command::new(std::env::current_exe()?)
            .env(ROLE, role.name())
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let started_in = begun.elapsed();
        let address = line.trim().parse().map_err(|_| format!("the {} did not start", role.name()))?;
        Ok(Self { child, _stdout: stdout, address, started_in })
    }

    /// Processor time that it has used in user and system mode.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let mut times = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let (user, system) = (times.next().ok_or("no times")??, times.next().ok_or("no times")??);
        // The kernel tells hundredths of a second (USER_HZ).
        Ok(Duration::from_millis((user + system) * 10))
    }

    /// Bytes of memory that it has.
    pub(crate) fn memory(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}
