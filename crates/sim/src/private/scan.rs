//! Looking for what must not be there: secrets' bytes and names, as they are, in hex, in base64, and as lists of numbers.

/// What is looked for, arranged by its first two bytes, so that looking costs one step a byte.
#[derive(Debug, Default)]
pub(crate) struct Needles {
    all: Vec<(String, Vec<u8>)>,
    begins: std::collections::BTreeMap<u16, Vec<usize>>,
}

/// Base64 digits, by alphabet.
const ALPHABETS: [&[u8; 64]; 2] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
];

/// The digits that stand for `what` whatever stands before and after it, when so many bytes of a group of three precede it.
fn base64(what: &[u8], before: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let bits: Vec<bool> = what.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1 == 1)).collect();
    // Digits begin at each sixth bit of the whole text.
    let skip = (6 - (before * 8) % 6) % 6;
    let digit = |six: &[bool]| {
        let n = six.iter().fold(0_usize, |n, bit| n * 2 + usize::from(*bit));
        alphabet.get(n).copied().unwrap_or_default()
    };
    bits.get(skip..).unwrap_or_default().chunks_exact(6).map(digit).collect()
}

impl Needles {
    /// Looks for these bytes in every form.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
        self.put(name.to_string(), bytes.to_vec());
        self.put(format!("{name} in hex"), hex.to_uppercase().into_bytes());
        self.put(format!("{name} in hex"), hex.into_bytes());
        self.put(format!("{name} as numbers"), list.join(", ").into_bytes());
        for alphabet in ALPHABETS {
            for before in 0..3 {
                self.put(format!("{name} in base64"), base64(bytes, before, alphabet));
            }
        }
    }

    fn put(&mut self, name: String, bytes: Vec<u8>) {
        let known = self.all.iter().any(|(_, known)| *known == bytes);
        if let (Some([a, b]), false) = (bytes.first_chunk(), known) {
            self.begins.entry(u16::from_be_bytes([*a, *b])).or_default().push(self.all.len());
            self.all.push((name, bytes));
        }
    }

    /// What is there of it.
    pub(crate) fn find(&self, hay: &[u8]) -> Option<&str> {
        let table = self.table();
        hay.windows(2).enumerate().find_map(|(at, pair)| {
            let &[a, b] = pair else { return None };
            let begin = u16::from_be_bytes([a, b]);
            if !table.get(usize::from(begin)).copied().unwrap_or(false) {
                return None;
            }
            let from = hay.get(at..)?;
            let here = self.begins.get(&begin)?.iter().filter_map(|i| self.all.get(*i));
            here.into_iter().find(|(_, bytes)| from.starts_with(bytes)).map(|(name, _)| name.as_str())
        })
    }

    fn table(&self) -> Vec<bool> {
        let mut table = vec![false; 1 << 16];
        for begin in self.begins.keys() {
            if let Some(place) = table.get_mut(usize::from(*begin)) {
                *place = true;
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::Needles;

    #[test]
    fn every_form_is_found_wherever_it_stands() {
        let secret: Vec<u8> = (0..32).map(|n| 7 * n + 3).collect();
        let mut needles = Needles::default();
        needles.add("it", &secret);
        let hex: String = secret.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(needles.find(&secret), Some("it"));
        assert_eq!(needles.find(format!("id={hex}!").as_bytes()), Some("it in hex"));
        assert_eq!(needles.find(hex.to_uppercase().as_bytes()), Some("it in hex"));
        assert_eq!(needles.find(format!("{secret:?}").as_bytes()), Some("it as numbers"));
        assert_eq!(needles.find(b"nothing of the kind"), None);
        assert_eq!(needles.find(&secret[1..]), None);
        for before in 0..3 {
            let mut bytes = vec![0xaa; before];
            bytes.extend(&secret);
            bytes.extend(b"and more");
            let whole: Vec<u8> = super::base64(&bytes, 0, super::ALPHABETS[1]);
            assert_eq!(needles.find(&whole), Some("it in base64"), "{before} bytes before it");
        }
    }

    #[test]
    fn base64_is_base64() {
        assert_eq!(super::base64(b"Man", 0, super::ALPHABETS[0]), b"TWFu");
        assert_eq!(super::base64(b"estoile!", 0, super::ALPHABETS[0]), b"ZXN0b2lsZS");
    }
}
