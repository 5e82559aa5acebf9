//! A blob's way: asked, granted, broken off, gone on with, there; or not there.

use super::{Download, LONGEST_WAIT_MS, MAX_MISSES, Step, Upload};
use crate::turn::BlobError;

fn upload() -> Upload {
    Upload::new([1; 32], vec![7; 100].into())
}

#[test]
fn an_upload_goes_on_where_it_broke_off() {
    let mut up = upload();
    assert_eq!(up.step(0), Some(Step::Ask { hash: [1; 32], size: 100 }));
    assert_eq!(up.step(0), None, "asked once");
    up.asked(5);
    assert!(up.awaits(5) && !up.awaits(6));
    assert!(matches!(up.granted([2; 32], 40), Some(Step::Put { from: 40, .. })));
    up.ended(&Err(BlobError::Later("broken".into())), 1_000);
    assert_eq!(up.step(1_000), None);
    let at = up.next_timeout().unwrap();
    assert_eq!(up.step(at), Some(Step::Ask { hash: [1; 32], size: 100 }));
    // The connection goes while it is asked: asked anew with the next one.
    up.offline();
    assert!(up.step(at).is_some());
    up.asked(9);
    assert_eq!(up.granted([2; 32], 100), None, "all of it is there already");
    assert!(up.is_done() && up.failed().is_none());
    up.offline();
    assert!(up.is_done());
}

#[test]
fn refusals_wait_longer_and_longer_or_are_told() {
    let mut up = upload();
    let mut now = 0;
    for _ in 0..40 {
        assert!(up.step(now).is_some());
        up.refused(true, None, "the relay is full", now);
        let wait = up.next_timeout().unwrap() - now;
        assert!(wait <= LONGEST_WAIT_MS);
        now += wait;
    }
    assert!(up.step(now).is_some());
    up.refused(true, Some(77), "busy", now);
    assert_eq!(up.next_timeout(), Some(now + 77), "the relay's word counts");
    assert!(up.step(now + 77).is_some());
    up.refused(false, None, "too large", now);
    assert_eq!((up.failed(), up.next_timeout()), (Some("too large"), None));
}

#[test]
fn a_download_is_tried_again_and_given_up_only_if_it_is_nowhere() {
    let mut down = Download::new([3; 32], 10);
    let mut now = 0;
    for _ in 0..MAX_MISSES {
        assert_eq!(down.step(now), Some(Step::Get { hash: [3; 32], size: 10 }));
        assert_eq!(down.ended(Err(BlobError::Never("404".into())), now), None);
        now = down.next_timeout().unwrap();
    }
    let mut other = down.clone();
    assert!(down.step(now).is_some());
    assert_eq!(down.ended(Err(BlobError::Later("gone".into())), now), None, "a relay that is away decides nothing");
    assert!(other.step(now).is_some());
    assert!(matches!(other.ended(Err(BlobError::Never("404".into())), now), Some(Err(BlobError::Never(_)))));
    assert_eq!(other.next_timeout(), None);
    now = down.next_timeout().unwrap();
    assert!(down.step(now).is_some());
    assert_eq!(down.ended(Ok(vec![1]), now), Some(Ok(vec![1])));
}
