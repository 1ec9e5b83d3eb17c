use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Where questions are worked on: off the threads that talk to clients, so many at once, and so many that wait.
#[derive(Debug)]
pub(crate) struct Pool {
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Pool {
    /// So many at once, and so many that wait.
    pub(crate) fn new(running: usize, waiting: usize) -> Self {
        Self { running: Arc::new(Semaphore::new(running.max(1))), waiting: Semaphore::new(waiting) }
    }

    /// Runs `work` on a thread of its own when its turn comes. 503 at once where too many wait already.
    ///
    /// The turn is held until the work ends, also when the client has gone away meanwhile: what runs is counted.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = match Arc::clone(&self.running).try_acquire_owned() {
            Ok(turn) => turn,
            Err(_taken) => {
                let Ok(_place) = self.waiting.try_acquire() else {
                    return Err(Problem::unavailable(
                        "too many questions are waiting; ask again in a second",
                        1,
                    ));
                };
                let Ok(turn) = Arc::clone(&self.running).acquire_owned().await else {
                    return Err(Problem::unavailable("the server is stopping", 5));
                };
                turn
            }
        };
        let outcome = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await;
        match outcome {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(%error, "a question failed");
                Err(Problem::internal("the question could not be answered; the server's log says why"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn one_runs_one_waits_the_third_is_sent_away() {
        let pool = Arc::new(Pool::new(1, 1));
        let (go, wait) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                let work = move || {
                    wait.recv().unwrap();
                    Ok(())
                };
                pool.run(work).await
            }
        });
        while pool.running.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(|| Ok(2)).await }
        });
        while pool.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|| Ok(3)).await.unwrap_err().status(), 503);
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(second.await.unwrap().unwrap(), 2);
        assert_eq!(pool.run(|| Ok(4)).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_and_gives_its_turn_back() {
        let pool = Pool::new(1, 0);
        for _ in 0..3 {
            assert_eq!(pool.run::<()>(|| panic!("on purpose")).await.unwrap_err().status(), 500);
        }
        assert!(pool.run(|| Ok(())).await.is_ok());
    }
}
