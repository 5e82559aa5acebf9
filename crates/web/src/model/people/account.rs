//! Making an account and taking one up again: where, by which entry code, under which name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use estoile_engine::RelayAddress;

/// An entry code is at most so many bytes: they have 16, and a relay may choose longer ones.
const MAX_ENTRY: usize = 64;

/// The relay that serves this page, out of the page's origin.
#[must_use]
pub fn home(origin: &str) -> Option<RelayAddress> {
    let (scheme, place) = origin.split_once("://")?;
    let tls = match scheme {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let place = place.trim_end_matches('/');
    let split = place.rsplit_once(':').filter(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let (host, port) = match split {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (place, if tls { 443 } else { 80 }),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    (!host.is_empty()).then_some(RelayAddress { host, port, tls, pin: None })
}

/// A relay's entry code as typed: the code itself, or the whole link that has it (`…/#e/CODE/RELAY`). Nothing typed: none.
///
/// # Errors
/// What is wrong with it.
pub fn entry(typed: &str) -> Result<Option<Vec<u8>>, &'static str> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let code = match typed.split_once("#e/") {
        Some((_, rest)) => rest.split('/').next().unwrap_or_default(),
        None => typed,
    };
    match URL_SAFE_NO_PAD.decode(code) {
        Ok(bytes) if !bytes.is_empty() && bytes.len() <= MAX_ENTRY => Ok(Some(bytes)),
        _ => Err("This is no entry code. Copy the whole address that the relay's owner gave you, or ask for it again."),
    }
}

/// What a device is called unless its owner says otherwise: browser and system, out of what the browser calls itself.
#[must_use]
pub fn device_name(agent: &str) -> String {
    let has = |word: &str| agent.contains(word);
    let browser = match () {
        () if has("Firefox/") => "Firefox",
        () if has("Edg/") => "Edge",
        () if has("Chrome/") || has("Chromium/") => "Chromium",
        () if has("Safari/") => "Safari",
        () => "Browser",
    };
    let system = match () {
        () if has("Android") => "Android",
        () if has("iPhone") || has("iPad") => "iOS",
        () if has("Mac OS X") => "macOS",
        () if has("Windows") => "Windows",
        () if has("Linux") => "Linux",
        () => return browser.to_owned(),
    };
    format!("{browser} on {system}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_relay() {
        let address = |host: &str, port, tls| Some(RelayAddress { host: host.into(), port, tls, pin: None });
        assert_eq!(home("https://Chat.example"), address("chat.example", 443, true));
        assert_eq!(home("https://chat.example:7070"), address("chat.example", 7070, true));
        assert_eq!(home("http://127.0.0.1:7070"), address("127.0.0.1", 7070, false));
        assert_eq!(home("http://[::1]:7070"), address("::1", 7070, false));
        assert_eq!(home("https://[2001:db8::1]"), address("2001:db8::1", 443, true));
        assert_eq!(home("file://x"), None);
        assert_eq!(home("https://"), None);
        assert_eq!(home("https://x:99999"), None);
    }

    #[test]
    fn an_entry_code_stands_alone_or_in_its_link() {
        let code = Ok(Some(vec![1, 2, 3]));
        assert_eq!(entry(" AQID "), code);
        assert_eq!(entry("https://chat.example:7070/#e/AQID/RELAY"), code);
        assert_eq!(entry("https://chat.example/#e/AQID"), code);
        assert_eq!(entry(" "), Ok(None));
        assert!(entry("not a code!").is_err() && entry("#e//RELAY").is_err() && entry(&"A".repeat(400)).is_err());
    }

    #[test]
    fn a_device_is_called_what_its_owner_would_call_it() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
        assert_eq!(device_name(chrome), "Chromium on Linux");
        assert_eq!(device_name("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"), "Safari on iOS");
        assert_eq!(device_name("?"), "Browser");
    }
}
