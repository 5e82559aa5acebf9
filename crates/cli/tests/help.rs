//! Help, completions and man pages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use common::run;

#[test]
fn help_names_every_command_and_exit_code() {
    let help = run(&["--help"]).ok();
    for word in ["up", "serve", "room", "chat", "send", "tail", "fernet", "Exit codes:", "130", "ESTOILE_PASSPHRASE"] {
        assert!(help.text().contains(word), "{word}");
    }
    assert_eq!(run(&["--version"]).ok().text(), format!("estoile {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(run(&["dance"]).code, Some(2));
}

#[test]
fn each_bound_of_the_relay_has_a_flag_a_default_and_a_line() {
    let help = run(&["serve", "--help"]).ok();
    let text = help.text().split_whitespace().collect::<Vec<_>>().join(" ");
    for (flag, default) in [
        ("--max-ttl", "30d"),
        ("--max-disk", "10G"),
        ("--max-log", "1G"),
        ("--max-logs", "1000"),
        ("--creations", "60"),
        ("--max-sessions", "100000"),
        ("--queue", "1M"),
        ("--silence", "90s"),
        ("--ping", "30s"),
    ] {
        let (_, after) = text.split_once(&format!("{flag} <")).unwrap_or_else(|| panic!("{flag} is not in {text}"));
        let line = after.split(" --").next().unwrap();
        assert!(line.contains(&format!("[default: {default}]")) && line.len() > 40, "{flag}: {line}");
    }
}

/// The flags' defaults are the relay's own, so that the two can't drift apart.
#[test]
fn the_defaults_are_the_relays_own() {
    let config = estoile_hub::config::Config::default();
    let help = run(&["serve", "--help"]).ok();
    let text = help.text().split_whitespace().collect::<Vec<_>>().join(" ");
    let default = |flag: &str| {
        let (_, after) = text.split_once(&format!("{flag} <")).unwrap();
        after.split("[default: ").nth(1).unwrap().split(']').next().unwrap().to_owned()
    };
    assert_eq!(default("--max-ttl"), format!("{}d", config.max_ttl / 86_400));
    assert_eq!(default("--max-disk"), format!("{}G", config.max_disk >> 30));
    assert_eq!(default("--max-log"), format!("{}G", config.max_log_bytes >> 30));
    assert_eq!(default("--max-logs"), config.logs_per_code.to_string());
    assert_eq!(default("--max-code"), format!("{}G", config.bytes_per_code >> 30));
    assert_eq!(default("--max-records"), config.max_records.to_string());
    assert_eq!(default("--max-all-logs"), config.max_logs.to_string());
    assert_eq!(default("--max-blob"), format!("{}M", config.max_blob >> 20));
    assert_eq!(default("--creations"), config.creations.burst.to_string());
    assert_eq!(default("--all-creations"), (config.creations_in_all.per_second_milli / 1000).to_string());
    assert_eq!(default("--attaches"), (config.attaches.per_second_milli / 1000).to_string());
    assert_eq!(default("--appends"), config.appends.burst.to_string());
    assert_eq!(default("--signals"), (config.signals.per_second_milli / 1000).to_string());
    assert_eq!(default("--max-sessions"), config.max_sessions.to_string());
    assert_eq!(default("--max-attachments"), config.max_attachments.to_string());
    assert_eq!(default("--queue"), format!("{}M", config.queue_bytes >> 20));
    assert_eq!(default("--silence"), format!("{}s", config.silence_ms / 1000));
    assert_eq!(default("--ping"), format!("{}s", config.ping_ms / 1000));
    assert_eq!(default("--idle-log"), format!("{}d", config.idle_log_ms / 86_400_000));
}

#[test]
fn shells_and_man_are_served() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).ok().text().contains("estoile"));
    }
    let page = run(&["man"]).ok();
    assert!(page.text().contains(".TH estoile 1") && page.text().contains("Exit codes"), "{}", page.text());
    let folder = tempfile::tempdir().unwrap();
    run(&["man", folder.path().to_str().unwrap()]).ok();
    for name in ["estoile.1", "estoile-send.1", "estoile-room-new.1", "estoile-fernet-decrypt.1"] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
}
