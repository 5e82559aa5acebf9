//! One page that a teacher can show: everything in one file, no script, nothing fetched.

use core::fmt::Write as _;

use crate::outcome::{Row, Seal};
use crate::run::{About, about, counts};

/// The look: words carry the meaning, colours repeat it.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2333;--soft:#5b6478;--line:#d8dce6;--ground:#fbfbfd;--good:#0b6b4f;--told:#7a5200;--bad:#a3172f}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf2;--soft:#a2a9bd;--line:#343b50;--ground:#12151f;--good:#6fd3ae;--told:#e5b95c;--bad:#ff8d9c}}
body{margin:0 auto;max-width:76rem;padding:2.5rem 1.25rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
h1{font-size:1.9rem;margin:0 0 .25rem}h2{margin:2.5rem 0 .75rem;font-size:1.25rem}p{max-width:46rem}.soft{color:var(--soft)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.45rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
thead th{position:sticky;top:0;background:var(--ground);font-weight:600}tbody th{font-weight:600;white-space:nowrap}
.impossible,.measured{color:var(--good)}.told,.stopped{color:var(--told)}.breached{color:var(--bad);font-weight:650}.unreached{color:var(--soft)}
details{margin:.4rem 0;border:1px solid var(--line);border-radius:.5rem;padding:.5rem .75rem}summary{cursor:pointer}
ol{margin:.5rem 0;padding-left:1.5rem}li{margin:.15rem 0}time{color:var(--soft);font-variant-numeric:tabular-nums;margin-right:.5rem}";

const COLUMNS: [Seal; 7] =
    [Seal::Plain, Seal::AesCtr, Seal::Fernet, Seal::FernetTtl, Seal::Quick, Seal::Private, Seal::None];

/// The page.
#[must_use]
pub fn html(rows: &[Row], seed: u64) -> String {
    let mut page = String::with_capacity(256 * 1024);
    let counts = counts(rows);
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Estoile: what a hostile relay can do</title><style>{STYLE}</style><h1>What a hostile relay can do</h1>\
         <p class=\"soft\">{} attacks that worked against messengers, tried by a relay that cheats. Seed {seed}.</p>\
         <p>{} tried: {} impossible, {} told, {} stopped, {} measured, <b>{} breached</b>; {} not carried out here.</p>",
        counts.attacks,
        counts.tried,
        counts.impossible,
        counts.told,
        counts.stopped,
        counts.measured,
        counts.breached,
        counts.unreached,
    );
    words(&mut page);
    let ladder: Vec<About> = about().filter(|a| has(rows, a.attack, Seal::Plain)).collect();
    page.push_str("<h2>The ladder: what each seal buys</h2>");
    table(&mut page, rows, &ladder, COLUMNS.get(..6).unwrap_or_default());
    page.push_str("<h2>Every attack</h2>");
    let all: Vec<About> = about().filter(|a| rows.iter().any(|row| row.attack == a.attack)).collect();
    table(&mut page, rows, &all, COLUMNS.get(4..).unwrap_or_default());
    page.push_str("<h2>What happened</h2>");
    all.iter().for_each(|attack| story(&mut page, rows, attack));
    page.push_str("</html>\n");
    page
}

fn words(page: &mut String) {
    page.push_str(
        "<p class=\"soft\"><b class=\"impossible\">impossible</b>: the client refuses, and work goes on. \
         <b class=\"told\">told</b>: the client goes on and names the cause. \
         <b class=\"stopped\">stopped</b>: the room stands still until its user decides. \
         <b class=\"measured\">measured</b>: it can't be prevented, and this is how much. \
         <b class=\"breached\">breached</b>: the attack works.</p>",
    );
}

fn has(rows: &[Row], attack: &str, seal: Seal) -> bool {
    rows.iter().any(|row| row.attack == attack && row.seal == seal)
}

fn table(page: &mut String, rows: &[Row], attacks: &[About], columns: &[Seal]) {
    page.push_str("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Attack<th scope=\"col\">The relay");
    for seal in columns {
        let _ = write!(page, "<th scope=\"col\">{}", heading(*seal));
    }
    page.push_str("<tbody>");
    for about in attacks {
        let _ = write!(page, "<tr><th scope=\"row\">{}<td>{}", about.attack, escape(about.does));
        for seal in columns {
            match rows.iter().find(|row| row.attack == about.attack && row.seal == *seal) {
                Some(row) => {
                    let word = row.outcome.word();
                    let _ = write!(page, "<td class=\"{word}\" title=\"{}\">{word}", escape(&row.detail));
                }
                None => page.push_str("<td>"),
            }
        }
    }
    page.push_str("</table></div>");
}

/// What stands above a seal's column.
const fn heading(seal: Seal) -> &'static str {
    match seal {
        Seal::Plain => "plain text",
        Seal::AesCtr => "AES-CTR, password",
        Seal::Fernet => "Fernet",
        Seal::FernetTtl => "Fernet, 30 s",
        Seal::Quick => "quick room",
        Seal::Private => "private room",
        Seal::None => "the client",
    }
}

fn story(page: &mut String, rows: &[Row], about: &About) {
    let _ = write!(
        page,
        "<details><summary><b>{}</b> {}</summary><p class=\"soft\">Before: {}.</p><p>Against it: {}.</p>",
        about.attack,
        escape(about.does),
        escape(about.precedent),
        escape(about.defence),
    );
    for row in rows.iter().filter(|row| row.attack == about.attack) {
        let word = row.outcome.word();
        let _ = write!(
            page,
            "<p><b>{}</b>: <span class=\"{word}\">{word}</span>. {}</p>",
            heading(row.seal),
            escape(&row.detail),
        );
        if !row.story.is_empty() {
            page.push_str("<ol>");
            for line in &row.story {
                let _ = write!(page, "<li><time>{}</time>{}", crate::story::clock(line.at), escape(&line.what));
            }
            page.push_str("</ol>");
        }
    }
    page.push_str("</details>");
}

/// Text as HTML: peers' texts are part of stories.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
