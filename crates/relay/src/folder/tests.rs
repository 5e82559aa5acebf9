//! One owner at a time, and files that are whole.

use super::*;

#[test]
fn a_folder_has_one_owner_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    let first = Folder::take(&path).unwrap();
    let second = Folder::take(&path);
    assert!(matches!(&second, Err(StartError::InUse { folder }) if *folder == path));
    let text = second.unwrap_err().to_string();
    assert!(text.contains("in use by another process") && text.contains("--data"), "{text}");
    drop(first);
    Folder::take(&path).unwrap();
}

#[test]
fn files_are_whole_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::take(dir.path()).unwrap();
    assert_eq!(folder.read("key").unwrap(), None);
    fs::write(folder.file("key.new"), b"left behind by a crash, and longer than what follows").unwrap();
    folder.write("key", b"one").unwrap();
    folder.write("key", b"two").unwrap();
    assert_eq!(folder.read("key").unwrap().unwrap(), b"two");
    assert!(!folder.file("key.new").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(folder.file("key")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_file_that_is_far_too_long_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::take(dir.path()).unwrap();
    File::create(folder.file("key")).unwrap().set_len(MAX_FILE + 1).unwrap();
    assert!(matches!(folder.read("key"), Err(StartError::Damaged { .. })));
}
