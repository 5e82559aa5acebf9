//! Private rooms from the command line alone: accounts, contacts, verification, rooms, devices, recovery; and what bad
//! input is answered.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised fails")]

mod common;

use std::process::{Command, Stdio};

use common::{Done, Relay, Running, estoile, finish, json, start_command};
use serde_json::Value;

/// Somebody with a data folder.
struct Person {
    folder: tempfile::TempDir,
}

impl Person {
    fn bare() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With an account, and its recovery words.
    fn new(name: &str, relay: &Relay) -> (Self, String) {
        let person = Self::bare();
        let words = person.run(&["account", "new", "--as", name, "--relay", &relay.url]).ok().text().trim().to_owned();
        (person, words)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = estoile(&[args, &["--data", self.folder.path().to_str().unwrap()]].concat());
        command.env("ESTOILE_PASSPHRASE", "correct horse battery");
        command
    }

    fn run(&self, args: &[&str]) -> Done {
        self.with(args, "")
    }

    fn with(&self, args: &[&str], input: &str) -> Done {
        finish(self.command(args), input.as_bytes())
    }

    fn start(&self, args: &[&str]) -> Running {
        start_command(self.command(args))
    }

    /// What a command prints, alone on one line.
    fn line(&self, args: &[&str]) -> String {
        let done = self.run(args).ok();
        assert_eq!(done.text().lines().count(), 1, "{}", done.text());
        done.text().trim().to_owned()
    }

    fn objects(&self, args: &[&str]) -> Vec<Value> {
        self.run(&[args, &["--json"]].concat()).ok().text().lines().map(json).collect()
    }

    fn texts(&self, room: &str, count: usize) -> Vec<String> {
        let count = count.to_string();
        let args = ["tail", room, "--all", "--json", "--count", &count, "--for", "30s"];
        let done = self.run(&args).ok();
        let lines = done.text().lines().map(json).filter(|l| l["type"] == "message");
        lines.map(|l| l["text"].as_str().unwrap().to_owned()).collect()
    }
}

/// Two people who are each other's contacts.
fn contacts(one: &Person, other: &Person, other_name: &str) {
    let link = one.line(&["contact", "link"]);
    other.run(&["contact", "add", &link]).ok();
    one.run(&["contact", "accept", other_name]).ok();
    other.run(&["contact", "list"]).ok();
}

#[test]
fn from_two_clean_folders_to_a_verified_private_room() {
    let relay = Relay::start();
    let (alice, words) = Person::new("Alice", &relay);
    assert_eq!(words.split_whitespace().count(), 24, "the recovery words");
    let (bob, _) = Person::new("Bob", &relay);

    let link = alice.line(&["contact", "link"]);
    assert!(link.starts_with(&format!("{}/#c/", relay.url)), "{link}");
    assert_eq!(bob.line(&["contact", "add", &link]), "Alice");
    assert_eq!(bob.objects(&["contact", "list"])[0]["state"], "asked");
    let requests = alice.objects(&["contact", "requests"]);
    assert_eq!((requests.len(), &requests[0]["name"]), (1, &"Bob".into()));
    alice.run(&["contact", "accept", "Bob"]).ok();
    assert_eq!(bob.objects(&["contact", "list"])[0]["state"], "accepted");

    let (seen, told) =
        (&alice.objects(&["contact", "verify", "Bob"])[0], &bob.objects(&["contact", "verify", "Alice"])[0]);
    assert_eq!((&seen["words"], &seen["number"]), (&told["words"], &told["number"]));
    assert_eq!(seen["number"].as_str().unwrap().chars().filter(char::is_ascii_digit).count(), 60);
    alice.with(&["contact", "verify", "Bob", "--words"], told["words"].as_str().unwrap()).ok();
    bob.with(&["contact", "verify", "Alice", "--words"], seen["number"].as_str().unwrap()).ok();

    assert_eq!(alice.line(&["room", "new", "--private", "--name", "Tea"]), "Tea");
    alice.run(&["room", "invite", "Tea", "Bob"]).ok();
    let invited = bob.run(&["room", "list", "--json"]).ok();
    assert_eq!(json(invited.text().trim())["kind"], "private");
    let members = bob.objects(&["room", "members", "Tea"]);
    let alices = members.iter().find(|m| m["name"] == "Alice").unwrap();
    assert_eq!((&alices["role"], &alices["verified"]), (&"owner".into(), &true.into()));

    bob.run(&["send", "Tea", "Is there sugar?"]).ok();
    alice.run(&["send", "Tea", "Two lumps"]).ok();
    assert_eq!(alice.texts("Tea", 2), ["Is there sugar?", "Two lumps"]);
    assert_eq!(bob.texts("Tea", 2), ["Is there sugar?", "Two lumps"]);
    let members = alice.objects(&["room", "members", "Tea"]);
    assert!(members.iter().all(|m| m["own"] == true || m["last_heard"].is_u64()), "{members:?}");
}

#[test]
fn words_that_do_not_fit_verify_nobody() {
    let relay = Relay::start();
    let ((alice, _), (bob, _), (carol, _)) =
        (Person::new("Alice", &relay), Person::new("Bob", &relay), Person::new("Carol", &relay));
    contacts(&alice, &bob, "Bob");
    contacts(&alice, &carol, "Carol");
    let carols = &carol.objects(&["contact", "verify", "Alice"])[0];
    alice.with(&["contact", "verify", "Bob", "--words"], carols["words"].as_str().unwrap()).fails(1, &["not"]);
    assert!(alice.objects(&["contact", "list"]).iter().all(|c| c["verified"] == false));
}

#[test]
fn a_follower_and_a_sender_share_a_folder() {
    let relay = Relay::start();
    let ((alice, _), (bob, _)) = (Person::new("Alice", &relay), Person::new("Bob", &relay));
    contacts(&alice, &bob, "Bob");
    alice.line(&["room", "new", "--private", "--name", "Tea"]);
    alice.run(&["room", "invite", "Tea", "Bob"]).ok();
    bob.run(&["room", "list"]).ok();
    let tail = bob.start(&["tail", "Tea", "--json"]);
    tail.says("following");
    alice.run(&["send", "Tea", "ping"]).ok();
    let heard = json(&tail.line());
    assert_eq!((&heard["text"], &heard["from"]), (&"ping".into(), &"Alice".into()));
    bob.run(&["send", "Tea", "pong"]).ok();
    assert_eq!(json(&tail.line())["text"], "pong");
    assert_eq!(alice.texts("Tea", 2), ["ping", "pong"]);
}

#[test]
fn who_is_removed_reads_and_writes_nothing_more() {
    let relay = Relay::start();
    let ((alice, _), (bob, _), (carol, _)) =
        (Person::new("Alice", &relay), Person::new("Bob", &relay), Person::new("Carol", &relay));
    contacts(&alice, &bob, "Bob");
    contacts(&alice, &carol, "Carol");
    alice.line(&["room", "new", "--private", "--name", "Tea"]);
    for name in ["Bob", "Carol"] {
        alice.run(&["room", "invite", "Tea", name]).ok();
    }
    bob.run(&["send", "Tea", "before"]).ok();
    carol.run(&["room", "remove", "Tea", "Bob"]).fails(1, &["admin"]);
    alice.run(&["room", "role", "Tea", "Carol", "admin"]).ok();
    carol.run(&["room", "remove", "Tea", "Bob"]).ok();
    alice.run(&["send", "Tea", "after"]).ok();
    bob.run(&["send", "Tea", "still here?"]).fails(1, &["not in this room any more"]);
    assert_eq!(carol.texts("Tea", 2), ["before", "after"]);
    let left = bob.run(&["tail", "Tea", "--all", "--for", "5s"]);
    assert!(left.text().contains("before") && !left.text().contains("after"), "{}", left.text());
    assert_eq!(left.code, Some(1));
    assert!(left.err.contains("not in this room any more"), "{}", left.err);
    assert_eq!(alice.objects(&["room", "members", "Tea"]).len(), 2);
}

#[test]
fn a_room_link_lets_in_as_many_as_it_says() {
    let relay = Relay::start();
    let ((alice, _), (bob, _), (carol, _)) =
        (Person::new("Alice", &relay), Person::new("Bob", &relay), Person::new("Carol", &relay));
    alice.line(&["room", "new", "--private", "--name", "Club"]);
    let link = alice.line(&["room", "link", "Club", "--uses", "1", "--expires", "1h"]);
    assert!(link.starts_with(&format!("{}/#r/", relay.url)), "{link}");
    bob.run(&["room", "join", &link]).ok();
    let open = alice.start(&["tail", "Club"]);
    open.says("following");
    let mut tries = 0;
    while bob.objects(&["room", "list"])[0]["waiting"] == true {
        tries += 1;
        assert!(tries < 50, "nobody let Bob in");
    }
    bob.run(&["send", "Club", "hello from the link"]).ok();
    assert_eq!(open.line(), "Bob: hello from the link");
    carol.run(&["room", "join", &link]).ok();
    open.says("link");
    assert_eq!(carol.objects(&["room", "list"])[0]["waiting"], true, "the link was good for one");
}

#[test]
fn a_room_link_that_is_over_or_revoked_lets_nobody_in() {
    let relay = Relay::start();
    let ((alice, _), (bob, _), (carol, _)) =
        (Person::new("Alice", &relay), Person::new("Bob", &relay), Person::new("Carol", &relay));
    alice.line(&["room", "new", "--private", "--name", "Club"]);
    let revoked = alice.line(&["room", "link", "Club"]);
    alice.run(&["room", "unlink", "Club"]).ok();
    let over = alice.line(&["room", "link", "Club", "--expires", "1m"]);
    let open = alice.start(&["tail", "Club", "--clock", "+5m"]);
    open.says("following");
    for (who, name, link, why) in [(&bob, "Bob", &over, "the link has ended"), (&carol, "Carol", &revoked, "revoked")] {
        who.run(&["room", "join", link]).ok();
        let told = open.says(why);
        assert!(told.contains(name) && told.contains("not let in"), "{told}");
        assert_eq!(who.objects(&["room", "list"])[0]["waiting"], true);
    }
    drop(open);
    let members = alice.objects(&["room", "members", "Club"]);
    // The links that still stand are listed below the members.
    assert_eq!(members.iter().filter(|m| m["account"].is_string()).count(), 1, "{members:?}");
}

#[test]
fn a_new_device_sees_the_room_and_a_removed_one_does_not() {
    let relay = Relay::start();
    let ((alice, words), (bob, _)) = (Person::new("Alice", &relay), Person::new("Bob", &relay));
    contacts(&alice, &bob, "Bob");
    alice.line(&["room", "new", "--private", "--name", "Tea"]);
    alice.run(&["room", "invite", "Tea", "Bob"]).ok();
    bob.run(&["send", "Tea", "one"]).ok();

    let phone = Person::bare();
    let mut old = alice.start(&["device", "link", "--yes", "--history", "--json"]);
    let link = json(&old.line())["link"].as_str().unwrap().to_owned();
    let joined = phone.run(&["device", "join", &link, "--device", "phone", "--json"]).ok();
    let shown = |line: &str| json(line)["words"].as_str().map(str::to_owned);
    let theirs = joined.text().lines().find_map(shown).unwrap();
    let ours = shown(&old.line()).unwrap();
    assert_eq!(ours, theirs, "both sides show the same words");
    assert_eq!(json(&old.line())["state"], "done");
    assert_eq!(old.wait(), Some(0), "the messages for the phone are at the relay");
    phone.run(&["device", "join", &link]).fails(1, &["account already"]);
    Person::bare().run(&["device", "join", &link]).fails(1, &["link"]);

    alice.run(&["room", "list"]).ok();
    let mut tries = 0;
    while !phone.objects(&["room", "list"]).iter().any(|r| r["name"] == "Tea" && r["waiting"] == false) {
        tries += 1;
        assert!(tries < 50, "the new device is in no room");
        alice.run(&["room", "list"]).ok();
    }
    bob.run(&["send", "Tea", "two"]).ok();
    assert_eq!(phone.texts("Tea", 2), ["one", "two"], "the first came along");
    phone.run(&["send", "Tea", "three, from the phone"]).ok();
    assert_eq!(alice.objects(&["device", "list"]).len(), 2);

    alice.with(&["device", "remove", "phone"], &words).ok();
    alice.run(&["room", "list"]).ok();
    alice.run(&["send", "Tea", "four"]).ok();
    phone.run(&["send", "Tea", "five"]).fails(1, &["not in this room any more"]);
    assert_eq!(bob.texts("Tea", 4), ["one", "two", "three, from the phone", "four"]);
}

#[test]
fn who_loses_every_device_keeps_the_account() {
    let relay = Relay::start();
    let ((alice, words), (bob, _)) = (Person::new("Alice", &relay), Person::new("Bob", &relay));
    contacts(&alice, &bob, "Bob");
    bob.line(&["room", "new", "--private", "--name", "Tea"]);
    bob.run(&["room", "invite", "Tea", "Alice"]).ok();
    alice.run(&["send", "Tea", "before the loss"]).ok();
    let account = alice.objects(&["account", "show"])[0]["account"].clone();
    drop(alice);

    let typo = {
        let mut wrong: Vec<&str> = words.split_whitespace().collect();
        wrong[6] = "zzzzz";
        wrong.join(" ")
    };
    let again = Person::bare();
    again.with(&["account", "restore", "--relay", &relay.url], &typo).fails(1, &["7"]);
    again.with(&["account", "restore", "--relay", &relay.url], &words).ok();
    let shown = &again.objects(&["account", "show"])[0];
    assert_eq!(shown["account"], account);
    let lives = shown["devices"].as_array().unwrap().iter().filter(|d| d["removed"] == false).count();
    assert_eq!(lives, 1, "the lost device is removed");
    assert_eq!(again.objects(&["contact", "list"])[0]["name"], "Bob");
    let mut tries = 0;
    while !again.objects(&["room", "list"]).iter().any(|r| r["name"] == "Tea" && r["waiting"] == false) {
        tries += 1;
        assert!(tries < 50, "nobody let the restored account in");
        bob.run(&["room", "list"]).ok();
    }
    bob.run(&["send", "Tea", "after the loss"]).ok();
    assert!(again.texts("Tea", 1).contains(&"after the loss".to_owned()));
}

#[test]
fn bad_input_is_answered_plainly() {
    let relay = Relay::start();
    let nobody = Person::bare();
    nobody.run(&["contact", "link"]).fails(1, &["no account", "estoile account new"]);
    nobody.run(&["room", "new", "--private", "--name", "Tea"]).fails(1, &["no account"]);
    let mut unkept = nobody.command(&["account", "new", "--as", "Alice", "--relay", &relay.url]);
    unkept.env_remove("ESTOILE_PASSPHRASE");
    finish(unkept, b"").fails(1, &["ESTOILE_PASSPHRASE"]);

    let ((alice, _), (bob, _)) = (Person::new("Alice", &relay), Person::new("Bob", &relay));
    alice.run(&["account", "new", "--as", "Alice", "--relay", &relay.url]).fails(1, &["already"]);
    let own = alice.line(&["contact", "link"]);
    alice.run(&["contact", "add", &own]).fails(1, &["your own"]);
    alice.run(&["contact", "add", &relay.room(&[])]).fails(1, &["contact"]);
    alice.run(&["contact", "add", "not a link"]).fails(1, &["link"]);
    let dead = own;
    let fresh = alice.line(&["contact", "link", "--new"]);
    bob.run(&["contact", "add", &dead]).fails(1, &["link"]);
    bob.run(&["contact", "add", &fresh]).ok();
    alice.run(&["room", "new", "--private", "--name", "Tea"]).ok();
    alice.run(&["room", "invite", "Tea", "Zoe"]).fails(1, &["no contact Zoe"]);
    alice.run(&["room", "invite", "Coffee", "Bob"]).fails(1, &["no room Coffee"]);
    alice.run(&["room", "invite", "Tea", "Bob"]).fails(1, &["accept"]);
    alice.run(&["send", "Nowhere", "text"]).fails(1, &["no room Nowhere"]);
    alice.run(&["room", "remove", "Tea", "Zoe"]).fails(1, &["no member Zoe"]);
    alice.run(&["contact", "verify", "Bob", "--image", "/nonexistent.png"]).fails(1, &["picture"]);
    alice.run(&["device", "remove", "laptop"]).fails(1, &["words"]);
    bob.with(&["account", "restore", "--relay", &relay.url], "one two three").fails(1, &["already"]);
    Person::bare().with(&["account", "restore", "--relay", &relay.url], "one two three").fails(1, &["24"]);
}

/// `examples/bot.py`, which needs nothing but Python and the program.
#[test]
fn the_example_bot_answers() {
    let relay = Relay::start();
    let ((alice, _), (bot, _)) = (Person::new("Alice", &relay), Person::new("Bot", &relay));
    contacts(&alice, &bot, "Bot");
    alice.line(&["room", "new", "--private", "--name", "Workshop"]);
    alice.run(&["room", "invite", "Workshop", "Bot"]).ok();
    bot.run(&["room", "list"]).ok();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/bot.py");
    let python = std::env::var("ESTOILE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.args([script, "Workshop", "--estoile", env!("CARGO_BIN_EXE_estoile"), "--data"]).arg(bot.folder.path());
    command.env("ESTOILE_PASSPHRASE", "correct horse battery").env_remove("ESTOILE_LOG");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let at_work = start_command(command);
    at_work.says("following");
    let tail = alice.start(&["tail", "Workshop", "--json"]);
    tail.says("following");
    alice.run(&["send", "Workshop", "!ping"]).ok();
    let texts = [json(&tail.line())["text"].clone(), json(&tail.line())["text"].clone()];
    assert_eq!(texts, ["!ping", "pong"]);
    alice.run(&["send", "Workshop", "nothing for a bot"]).ok();
    alice.run(&["send", "Workshop", "!help"]).ok();
    let texts =
        [json(&tail.line())["text"].clone(), json(&tail.line())["text"].clone(), json(&tail.line())["text"].clone()];
    assert_eq!((&texts[0], &texts[1]), (&"nothing for a bot".into(), &"!help".into()));
    assert!(texts[2].as_str().unwrap().contains("!roll"), "{}", texts[2]);
}
