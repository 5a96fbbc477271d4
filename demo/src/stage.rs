//! What the demo runs on: a whole server on a temporary SQLite file, and two neighbours.

use anyhow::Context;
use clap::builder::{OsStr, Resettable};
use clap::{Args, Command, FromArgMatches};
use secrecy::SecretString;
use tempfile::TempDir;

use crate::client::Client;
use crate::mailbox::Mailbox;
use crate::print::{Page, Style};
use crate::receiver::Receiver;
use crate::scene::Scene;
use beadle_api::commands::{Serve, Server};

/// Everything that runs.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) key: SecretString,
    receiver: Receiver,
    mailbox: Mailbox,
    /// Holds the database. Removed when dropped.
    folder: TempDir,
}

impl Stage {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let receiver = Receiver::start().await;
        let mailbox = Mailbox::start().await;
        let folder = TempDir::with_prefix("beadle-demo-").context("cannot make a folder")?;
        let serve = settings(&folder, &mailbox)?;
        let mut server = Server::start(serve).await?;
        let key = server
            .new_key
            .take()
            .context("the new database has an API key")?;
        Ok(Self {
            server,
            key,
            receiver,
            mailbox,
            folder,
        })
    }

    pub(crate) fn scene(&self) -> Scene {
        let client = Client::new(self.server.address, &self.key);
        Scene::new(client, self.receiver.clone(), self.mailbox.clone())
    }

    pub(crate) fn introduce(&self, page: &Page) {
        page.line(page.styled(Style::Bold, "Beadle, the demo"));
        page.gap();
        page.say(
            "Beadle acts on users, and sees to it that everyone who has to know gets to know: \
             other systems by signed webhooks, the user by an email in the user's own language. \
             Pied Piper, a newspaper, will subscribe a few users and ask them how they like it. \
             Running now, on this machine only:",
        );
        page.gap();
        page.item(format_args!(
            "the API, with a worker inside   http://{}",
            self.server.address
        ));
        page.item(format_args!(
            "its database                    {}",
            self.folder.path().display()
        ));
        page.item(format_args!(
            "a receiver of webhooks          {}",
            self.receiver.url()
        ));
        page.item(format_args!(
            "a mail server that catches all  {}",
            self.mailbox.url()
        ));
        page.gap();
        page.say(
            "--> is a request to the API, <-- its answer (shortened), ==> what Beadle delivers.",
        );
    }

    /// Stops the server, and removes the database.
    pub(crate) async fn close(self) {
        self.server.stop().await;
    }
}

/// The settings of the server, whatever the environment says: it may be an operator's.
fn settings(folder: &TempDir, mailbox: &Mailbox) -> anyhow::Result<Serve> {
    let database = folder.path().join("beadle.db");
    let database = database
        .to_str()
        .context("the temporary folder has a strange name")?;
    let arguments = [
        "demo",
        "--listen=127.0.0.1:0",
        &format!("--database-url=sqlite://{database}"),
        &format!("--mail={}", mailbox.url()),
        "--mail-from=Pied Piper <news@piedpiper.example>",
        "--webhook-allow=127.0.0.0/8",
        "--retry-schedule=0s,1s,2s",
        "--mail-retry-schedule=0s,1s,2s",
        "--expiry-interval=250ms",
        "--shutdown-grace=2s",
    ];
    let command = Serve::augment_args(Command::new("demo"))
        .mut_args(|argument| argument.env(Resettable::<OsStr>::Reset));
    let matches = command.try_get_matches_from(arguments)?;
    Ok(Serve::from_arg_matches(&matches)?)
}
