//! Secrets are gone when their holders are: proven by looking at the memory afterwards.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]
#![allow(unsafe_code, reason = "a test that looks into dropped memory and watches the allocator can't do without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::mem::MaybeUninit;

use estoile_seal::SenderKey;
use estoile_seal::access::AccessKey;
use estoile_seal::account::{Generation, Recovery};
use estoile_seal::device_link::DeviceSecret;
use estoile_seal::fernet::{self, Key};
use estoile_seal::link::Link;
use estoile_seal::passphrase;
use estoile_seal::quick::{LABEL_ACCESS, LABEL_FERNET, LABEL_SIGNAL, RoomKeys, RoomSecret};
use estoile_seal::shelf_item::ShelfKey;
use estoile_seal::ticket::TicketSecret;
use estoile_seal::vault_key::VaultKey;
use hkdf::Hkdf;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::Sha256;

/// Puts a value into memory that outlives it, and looks for the secrets before and after its drop.
fn assert_wiped<T>(value: T, secrets: &[&[u8]]) {
    let mut place = Box::new(MaybeUninit::<T>::zeroed());
    place.write(value);
    let size = size_of::<T>();
    let look = |place: &MaybeUninit<T>| -> Vec<u8> {
        let start = place.as_ptr().cast::<u8>();
        // SAFETY: the box is alive, was zeroed before the value was written, and each byte is read once, as it is.
        (0..size).map(|i| unsafe { start.add(i).read_volatile() }).collect()
    };
    let has = |memory: &[u8], secret: &[u8]| memory.windows(secret.len()).any(|window| window == secret);
    let before = look(&place);
    for secret in secrets {
        assert!(secret.chunks(16).all(|part| has(&before, part)), "the test looks in the right place");
    }
    // SAFETY: the value was written above and is not used again.
    unsafe { place.assume_init_drop() };
    let after = look(&place);
    for secret in secrets {
        // Not even eight bytes in a row of it.
        assert!(secret.windows(8).all(|part| !has(&after, part)), "{}", std::any::type_name::<T>());
    }
}

const SECRET: [u8; 32] = *b"of these bytes nothing must stay";

fn expand(label: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, &SECRET).expand(label, &mut key).unwrap();
    key
}

#[test]
fn keys_are_wiped_when_dropped() {
    assert_wiped(RoomSecret::from_bytes(SECRET), &[&SECRET]);
    assert_wiped(Key::from_bytes(&SECRET), &[&SECRET]);
    assert_wiped(SenderKey::from_seed(&SECRET), &[&SECRET]);
    assert_wiped(VaultKey::from_bytes(SECRET), &[&SECRET]);
    assert_wiped(Recovery::from_entropy(SECRET), &[&SECRET]);
    assert_wiped(Generation::from_parts(0, SECRET), &[&SECRET]);
    assert_wiped(TicketSecret::from_bytes(SECRET), &[&SECRET]);
    assert_wiped(ShelfKey::from_bytes(SECRET), &[&SECRET]);
    assert_wiped(DeviceSecret::from_bytes(SECRET), &[&SECRET]);
    assert_wiped(AccessKey::from_seed(&SECRET), &[&SECRET]);
}

#[test]
fn recovery_words_leave_nothing_on_the_heap() {
    let words: &'static str = Box::leak(Recovery::from_entropy(SECRET).words().to_string().into_boxed_str());
    // The whole, and the last words alone.
    for needle in [words, words.rsplit_once(' ').unwrap().1] {
        let left = freed_with(needle.as_bytes(), || {
            let read = Recovery::parse(words).unwrap();
            drop(read.words());
            drop(read.root());
            drop(read.generation(0));
        });
        assert_eq!(left, 0, "{needle}");
    }
}

#[test]
fn all_keys_of_a_room_are_wiped_with_it() {
    let keys = RoomKeys::derive(&RoomSecret::from_bytes(SECRET));
    assert_wiped(keys, &[&expand(LABEL_FERNET), &expand(LABEL_ACCESS), &expand(LABEL_SIGNAL)]);
}

/// The system's allocator, which counts the freed blocks that still hold what this thread is watching for.
struct Watching;

thread_local! {
    static NEEDLE: Cell<&'static [u8]> = const { Cell::new(&[]) };
    static FOUND: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came; a block is only read, before it is freed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that every byte of a block may be read later.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let needle = NEEDLE.try_with(Cell::get).unwrap_or(&[]);
        if !needle.is_empty() && layout.size() >= needle.len() {
            let memory = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            if memory.windows(needle.len()).any(|window| window == needle) {
                let _ = FOUND.try_with(|found| found.set(found.get() + 1));
            }
        }
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // As two blocks: the old one is looked at, the new one is zeroed behind what is copied.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            unsafe {
                std::ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        new
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// How many freed blocks held the needle while `act` ran.
fn freed_with(needle: &'static [u8], act: impl FnOnce()) -> usize {
    FOUND.set(0);
    NEEDLE.set(needle);
    act();
    NEEDLE.set(&[]);
    FOUND.get()
}

const WORDS: &str = "nothing of this passphrase stays";

#[test]
fn the_watch_sees_what_is_left_behind() {
    let left = freed_with(WORDS.as_bytes(), || drop(WORDS.to_owned()));
    assert_eq!(left, 1);
}

#[test]
fn opened_texts_leave_nothing_on_the_heap() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let key = Key::generate(&mut rng);
    let token = fernet::encrypt_at(&key, WORDS.as_bytes(), 7, &mut rng);
    let vault = VaultKey::generate(&mut rng);
    let sealed = vault.seal(b"name", WORDS.as_bytes(), &mut rng);
    let left = freed_with(WORDS.as_bytes(), || {
        drop(fernet::decrypt_at(&key, token.as_bytes(), None, 0).unwrap());
        drop(fernet::decode_strict(&key, token.as_bytes()).unwrap());
        drop(vault.open(b"name", &sealed).unwrap());
        drop(fernet::encrypt_at(&key, WORDS.as_bytes(), 7, &mut rng));
        drop(vault.seal(b"name", WORDS.as_bytes(), &mut rng));
    });
    assert_eq!(left, 0);
}

#[test]
fn passphrases_and_their_keys_leave_nothing_on_the_heap() {
    let typed = format!("  {} ", WORDS.replace(' ', "  "));
    let left = freed_with(WORDS.as_bytes(), || {
        drop(passphrase::normalise(&typed));
        let _ = passphrase::estimate_bits(&typed);
    });
    assert_eq!(left, 0);

    // Nor a single word of it.
    let left = freed_with(b"passphrase", || {
        let _ = passphrase::estimate_bits(&typed);
        let _ = passphrase::check_strength(WORDS);
    });
    assert_eq!(left, 0);

    // What Argon2id gives is known from a first run; while a second one runs, no freed block may hold it.
    let key = *passphrase::stretch(WORDS, "relay:7070", "lobby").unwrap().as_bytes();
    let needle: &'static [u8] = Box::leak(Box::new(key));
    let left = freed_with(needle, || drop(passphrase::stretch(WORDS, "relay:7070", "lobby").unwrap()));
    assert_eq!(left, 0);
}

#[test]
fn secrets_read_from_text_leave_nothing_on_the_heap() {
    const TEXT: &str = "b2YgdGhlc2UgYnl0ZXMgbm90aGluZyBtdXN0IHN0YXk";
    let link = format!("https://relay/#q/lobby/{TEXT}/{TEXT}");
    let key = format!("{TEXT}=");
    let left = freed_with(b"of these bytes nothing must stay", || {
        let read: Link = link.parse().unwrap();
        drop(Box::new(read.kind));
        drop(Key::from_base64(&key).unwrap());
    });
    assert_eq!(left, 0);
    let left = freed_with(TEXT.as_bytes(), || drop(Key::from_base64(&key).unwrap().to_base64()));
    assert_eq!(left, 0);
}
