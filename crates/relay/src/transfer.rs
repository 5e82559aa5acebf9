//! A connection on which a blob travels, or files of the site: how long it may take, and its end.
//!
//! This layer does not know whether a blob is put or got, nor what a file is.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::blobs::Visit;
use crate::http::{Door, Http};
use crate::io::Io;
use crate::log::{self, Elapsed, Size, Word};

/// Runs until the answer is given, nothing moves any more, it takes too long, or the relay ends.
pub(crate) async fn run(door: Arc<Door>, mut http: Box<Http>, visit: Visit) {
    let _held = door.core.metrics.blob_transfers.hold();
    let started = std::time::Instant::now();
    let answered = answered(&mut http, &visit).await;
    let moved = Size(visit.progress.load(Ordering::Relaxed));
    log::transferred(Word(if answered { "answered" } else { "broken off" }), moved, Elapsed(started.elapsed()));
    if answered {
        goodbye(http.into_parts().io.into_inner(), door.core.sockets.goodbye).await;
    }
}

/// The same for who reads the site, with one answer after another.
pub(crate) async fn read_site(door: Arc<Door>, mut http: Box<Http>, visit: Visit) {
    if answered(&mut http, &visit).await {
        goodbye(http.into_parts().io.into_inner(), door.core.sockets.goodbye).await;
    }
}

async fn answered(http: &mut Http, visit: &Visit) -> bool {
    let running = std::future::poll_fn(|cx| http.poll_without_shutdown(cx));
    tokio::select! {
        ended = running => ended.is_ok(),
        () = stalled(visit) => false,
        () = tokio::time::sleep(visit.blobs.bounds.longest) => false,
        () = visit.blobs.closing() => false,
    }
}

/// Ends when no byte has moved for as long as one may wait.
async fn stalled(visit: &Visit) {
    let mut before = visit.progress.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(visit.blobs.bounds.idle).await;
        let now = visit.progress.load(Ordering::Relaxed);
        if now == before {
            return;
        }
        before = now;
    }
}

/// Ends a connection so that the peer gets to read the answer, even if it was not heard out.
pub(crate) async fn goodbye(mut io: Io, patience: Duration) {
    let _ = tokio::time::timeout(patience, async {
        io.shutdown().await?;
        let mut passed_over = vec![0; 4 << 10];
        while io.read(&mut passed_over).await? > 0 {}
        Ok::<_, std::io::Error>(())
    })
    .await;
}
