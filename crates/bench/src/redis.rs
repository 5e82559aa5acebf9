//! A peer that many know: redis, where it is installed, with every write synced.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::{BODY, Outcome, figure};

const PORT: &str = "17991";

pub(crate) fn run() -> Outcome<()> {
    let folder = tempfile::tempdir_in(".")?;
    let server = Command::new("redis-server")
        .args(["--port", PORT, "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut server) = server else {
        println!("redis is not installed: nothing to compare with (Debian: redis-server, redis-tools)");
        return Ok(());
    };
    let stdout = server.stdout.take().ok_or("no output")?;
    let ready = BufReader::new(stdout).lines().map_while(Result::ok).any(|line| line.contains("Ready to accept"));
    let measured = if ready { measure() } else { Err("redis did not start".into()) };
    server.kill()?;
    server.wait()?;
    measured
}

fn measure() -> Outcome<()> {
    for (senders, depth, count) in [("1", "1", "5000"), ("64", "64", "1000000")] {
        let output = Command::new("redis-benchmark")
            .args([
                "-p",
                PORT,
                "-c",
                senders,
                "-P",
                depth,
                "-n",
                count,
                "-d",
                &BODY.to_string(),
                "-t",
                "rpush",
                "--csv",
            ])
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().find(|line| line.starts_with("\"RPUSH\"")).ok_or("no figure from redis")?;
        let rate: f64 = line.split(',').nth(1).ok_or("no figure from redis")?.trim_matches('"').parse()?;
        figure(&format!("peer: redis, {senders} clients with {depth} unanswered each"), rate, "appends/s");
    }
    Ok(())
}
