//! A network between users and the server that cuts connections in the middle of a request or of an answer, and sends
//! requests twice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Bytes after which a connection is cut: a few dozen requests.
const BYTES: std::ops::Range<u64> = 100..40_000;

pub(super) struct Network {
    pub(super) entry: SocketAddr,
    /// Where the server is now.
    pub(super) server: watch::Sender<SocketAddr>,
    pub(super) counts: Arc<Counts>,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) cut: AtomicUsize,
    /// Connections of which everything is sent twice.
    pub(super) doubled: AtomicUsize,
}

impl Network {
    pub(super) async fn to(server: SocketAddr, mut rng: Rng) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let entry = listener.local_addr().unwrap();
        let (server, now) = watch::channel(server);
        let counts = Arc::<Counts>::default();
        let counted = Arc::clone(&counts);
        tokio::spawn(async move {
            // It ends with the test's runtime.
            while let Ok((from, _)) = listener.accept().await {
                let (to, rng, counted) = (*now.borrow(), rng.fork(), Arc::clone(&counted));
                tokio::spawn(async move { carry(from, to, rng, &counted).await });
            }
        });
        Self { entry, server, counts }
    }
}

/// Carries what is said both ways, until either side has had enough of it.
async fn carry(from: TcpStream, to: SocketAddr, mut rng: Rng, counts: &Counts) -> Option<()> {
    let mut twice = None;
    if rng.u8(0..4) == 0 {
        let (answers, requests) = TcpStream::connect(to).await.ok()?.into_split();
        counts.doubled.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(forget(answers));
        twice = Some(requests);
    }
    let (mut answers, mut requests) = TcpStream::connect(to).await.ok()?.into_split();
    let (mut asked, mut answered) = from.into_split();
    // One of them is cut.
    let (up, down) = if rng.bool() { (rng.u64(BYTES), u64::MAX) } else { (u64::MAX, rng.u64(BYTES)) };
    let ask = async {
        let (mut left, mut chunk) = (up, [0; 4096]);
        while left > 0 {
            let most = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = asked.read(&mut chunk[..most]).await.ok().filter(|read| *read > 0)?;
            left -= read as u64;
            requests.write_all(&chunk[..read]).await.ok()?;
            if let Some(twice) = &mut twice {
                twice.write_all(&chunk[..read]).await.ok()?;
            }
        }
        counts.cut.fetch_add(1, Ordering::Relaxed);
        Some(())
    };
    let answer = async {
        let mut most = (&mut answers).take(down);
        if copy(&mut most, &mut answered).await.is_ok_and(|copied| copied == down) {
            counts.cut.fetch_add(1, Ordering::Relaxed);
        }
    };
    tokio::select! {
        _ = ask => (),
        () = answer => (),
    }
    Some(())
}

async fn forget(mut answers: OwnedReadHalf) {
    let _ = copy(&mut answers, &mut sink()).await;
}
