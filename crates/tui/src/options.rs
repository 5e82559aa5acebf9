//! What the program decides before the face starts.

use estoile_engine::RoomId;
use jiff::tz::TimeZone;

use crate::theme::ThemeName;

/// How the face starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// The first colours; `/theme` changes them.
    pub theme: ThemeName,
    /// Whether to use colours at all (`NO_COLOR`).
    pub colour: bool,
    /// Whether to keep to ASCII for lines and marks (a locale without UTF-8).
    pub ascii: bool,
    /// Whether to take the mouse; `/mouse off` gives it back.
    pub mouse: bool,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// The name for rooms opened with `/open` when no room says one.
    pub own_name: String,
    /// The room to show first.
    pub first: Option<RoomId>,
    /// The first room's link as others reach it, where that is another than this client uses.
    pub link: Option<String>,
    /// Sentences to show above the first room's timeline, such as whom its link reaches, or that nothing is kept.
    pub notes: Vec<String>,
    /// What is kept here is gone at the end: leaving with unsent messages asks first.
    pub volatile: bool,
    /// Added to this machine's clock, like the client's.
    pub clock_offset_ms: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            theme: ThemeName::Dark,
            colour: true,
            ascii: false,
            mouse: true,
            zone: TimeZone::UTC,
            own_name: String::from("guest"),
            first: None,
            link: None,
            notes: Vec::new(),
            volatile: false,
            clock_offset_ms: 0,
        }
    }
}

impl Options {
    /// What the environment says: `NO_COLOR`, `ESTOILE_THEME`, `COLORFGBG`, `TERM`, `LC_ALL`, `LC_CTYPE`, `LANG`; and
    /// the system's time zone. The variables come through `get`, so that a test can give its own.
    #[must_use]
    pub fn from_environment(get: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| get(name).filter(|v| !v.is_empty());
        let theme = set("ESTOILE_THEME").and_then(|t| ThemeName::parse(&t));
        // Terminals that say so write `foreground;background` in the numbers of the first sixteen colours.
        let light = set("COLORFGBG")
            .and_then(|v| v.rsplit(';').next().and_then(|b| b.parse::<u8>().ok()))
            .is_some_and(|ground| ground == 7 || ground == 15);
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let utf8 = locale.is_none_or(|l| {
            let l = l.to_ascii_lowercase();
            l.contains("utf-8") || l.contains("utf8")
        });
        Self {
            theme: theme.unwrap_or(if light { ThemeName::Light } else { ThemeName::Dark }),
            colour: set("NO_COLOR").is_none() && set("TERM").is_none_or(|t| !t.starts_with("vt")),
            ascii: !utf8,
            zone: TimeZone::system(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Options {
        Options::from_environment(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_environment_is_heard() {
        assert!(with(&[]).colour);
        assert!(!with(&[("NO_COLOR", "1")]).colour);
        assert!(with(&[("NO_COLOR", "")]).colour, "an empty NO_COLOR is none");
        assert_eq!(with(&[("COLORFGBG", "0;15")]).theme, ThemeName::Light);
        assert_eq!(with(&[("COLORFGBG", "15;default;0")]).theme, ThemeName::Dark);
        assert_eq!(with(&[("COLORFGBG", "0;15"), ("ESTOILE_THEME", "contrast")]).theme, ThemeName::Contrast);
        assert!(with(&[("LANG", "C")]).ascii);
        assert!(!with(&[("LANG", "C"), ("LC_ALL", "de_DE.UTF-8")]).ascii);
    }
}
