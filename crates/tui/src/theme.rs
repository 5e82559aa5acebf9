//! Colours and marks. Everything that a colour says, a mark or a word says too, so that without colour nothing is lost.

use ratatui::style::{Color, Modifier, Style};

/// Which colours to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// For light text on a dark ground.
    #[default]
    Dark,
    /// For dark text on a light ground.
    Light,
    /// Few colours, all of them strong, on a ground of our own.
    Contrast,
}

impl ThemeName {
    /// All of them, in the order in which `/theme` offers them.
    pub const ALL: [Self; 3] = [Self::Dark, Self::Light, Self::Contrast];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Contrast => "contrast",
        }
    }

    /// The theme of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.word() == word)
    }
}

/// Marks drawn beside text, for terminals with and without Unicode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glyphs {
    pub(crate) vertical: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) own: &'static str,
    pub(crate) here: &'static str,
    pub(crate) away: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) lost: &'static str,
    pub(crate) stopped: &'static str,
    pub(crate) kept: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) notice: &'static str,
    pub(crate) arrow: &'static str,
    pub(crate) prompt: &'static str,
    pub(crate) down: &'static str,
    pub(crate) private: &'static str,
    pub(crate) people: [&'static str; 8],
}

/// For UTF-8 terminals; only characters that are one column wide everywhere outside of CJK locales.
const UNICODE: Glyphs = Glyphs {
    vertical: "│",
    rule: "─",
    own: "▌",
    here: "●",
    away: "○",
    busy: "◌",
    lost: "✗",
    stopped: "■",
    kept: "✓",
    failed: "✗",
    notice: "!",
    arrow: "→",
    prompt: "›",
    down: "↓",
    private: "◈",
    people: ["◆", "▲", "●", "■", "★", "▼", "◇", "△"],
};

/// For everything else.
const ASCII: Glyphs = Glyphs {
    vertical: "|",
    rule: "-",
    own: ">",
    here: "*",
    away: "o",
    busy: "~",
    lost: "x",
    stopped: "#",
    kept: "+",
    failed: "x",
    notice: "!",
    arrow: "->",
    prompt: ">",
    down: "v",
    private: "$",
    people: ["*", "+", "#", "%", "@", "&", "=", "~"],
};

/// How everything looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Theme {
    pub(crate) name: ThemeName,
    colour: bool,
    pub(crate) glyphs: Glyphs,
}

impl Theme {
    pub(crate) const fn new(name: ThemeName, colour: bool, ascii: bool) -> Self {
        Self { name, colour, glyphs: if ascii { ASCII } else { UNICODE } }
    }

    pub(crate) const fn has_colour(&self) -> bool {
        self.colour
    }

    /// One style out of the three themes' colours, and what it is without any.
    fn pick(&self, dark: u8, light: u8, contrast: Color, plain: Modifier) -> Style {
        if !self.colour {
            return Style::new().add_modifier(plain);
        }
        match self.name {
            ThemeName::Dark => Style::new().fg(Color::Indexed(dark)),
            ThemeName::Light => Style::new().fg(Color::Indexed(light)),
            ThemeName::Contrast => Style::new().fg(contrast).add_modifier(plain),
        }
    }

    /// The ground: only the theme of strong contrast brings its own.
    pub(crate) fn base(&self) -> Style {
        match (self.colour, self.name) {
            (true, ThemeName::Contrast) => Style::new().fg(Color::White).bg(Color::Black),
            _ => Style::new(),
        }
    }

    /// Lines between panes, times, hints: less loud than text, still readable.
    pub(crate) fn quiet(&self) -> Style {
        self.pick(245, 242, Color::White, Modifier::empty())
    }

    pub(crate) fn strong(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What to look at first: the room's name, the prompt, keys to press.
    pub(crate) fn accent(&self) -> Style {
        self.pick(80, 25, Color::Cyan, Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    pub(crate) fn unread(&self) -> Style {
        self.pick(221, 130, Color::Yellow, Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    pub(crate) fn good(&self) -> Style {
        self.pick(114, 28, Color::Green, Modifier::empty())
    }

    pub(crate) fn warning(&self) -> Style {
        self.pick(215, 130, Color::Yellow, Modifier::BOLD)
    }

    pub(crate) fn bad(&self) -> Style {
        self.pick(210, 124, Color::LightRed, Modifier::BOLD)
    }

    /// The chosen row of a list.
    pub(crate) fn chosen(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A person's style, from their key: the same person looks the same in every room and every run.
    pub(crate) fn person(&self, key: &str) -> Style {
        const DARK: [u8; 10] = [81, 114, 179, 176, 110, 209, 150, 147, 217, 73];
        const LIGHT: [u8; 10] = [25, 28, 94, 90, 24, 130, 64, 54, 125, 30];
        const STRONG: [Color; 6] = [
            Color::LightCyan,
            Color::LightGreen,
            Color::LightYellow,
            Color::LightMagenta,
            Color::LightBlue,
            Color::LightRed,
        ];
        let n = number(key);
        let at = n % DARK.len();
        let (dark, light) = (DARK.get(at), LIGHT.get(at));
        let strong = STRONG.get(n % STRONG.len());
        self.pick(
            dark.copied().unwrap_or(81),
            light.copied().unwrap_or(25),
            strong.copied().unwrap_or(Color::White),
            Modifier::BOLD,
        )
        .add_modifier(Modifier::BOLD)
    }

    /// A person's mark, from another part of the key than the colour.
    pub(crate) fn person_mark(&self, key: &str) -> &'static str {
        let n = number(key.get(4..).unwrap_or_default());
        self.glyphs.people.get(n % self.glyphs.people.len()).copied().unwrap_or("*")
    }
}

/// A small number out of hex digits.
fn number(hex: &str) -> usize {
    hex.get(..4).and_then(|h| usize::from_str_radix(h, 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_no_style_has_one() {
        for name in ThemeName::ALL {
            let theme = Theme::new(name, false, false);
            let styles = [
                theme.base(),
                theme.quiet(),
                theme.strong(),
                theme.accent(),
                theme.unread(),
                theme.good(),
                theme.warning(),
                theme.bad(),
                theme.chosen(),
                theme.person("7f3a00"),
            ];
            for style in styles {
                assert_eq!((style.fg, style.bg, style.underline_color), (None, None, None));
            }
        }
    }

    #[test]
    fn marks_are_one_column_wide() {
        for glyphs in [UNICODE, ASCII] {
            for mark in glyphs.people.into_iter().chain([glyphs.own, glyphs.here, glyphs.kept, glyphs.vertical]) {
                assert_eq!(crate::text::width(mark), 1);
            }
        }
    }

    #[test]
    fn words_name_themes() {
        for name in ThemeName::ALL {
            assert_eq!(ThemeName::parse(name.word()), Some(name));
        }
        assert_eq!(ThemeName::parse("pink"), None);
    }
}
