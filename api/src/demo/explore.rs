//! After the story: the server goes on, and so do the receiver and the mailbox.

use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::inbox::Inbox;
use super::mailbox::Mail;
use super::print::Page;
use super::receiver::Received;
use super::scene::Scene;
use super::stage::Stage;

/// Shows whatever arrives, until `stop`.
pub(super) async fn explore(scene: &Scene, stage: &Stage, stop: &CancellationToken) {
    invite(&scene.page, stage);
    let (webhooks, mails) = (&scene.receiver.inbox, &scene.mailbox.inbox);
    tokio::select! {
        () = stop.cancelled() => {}
        () = show_webhooks(&scene.page, webhooks) => {}
        () = show_mails(&scene.page, mails) => {}
    }
}

fn invite(page: &Page, stage: &Stage) {
    let server = format!("http://{}", stage.server.address);
    page.heading("Explore");
    page.say("Everything is still running, until Ctrl-C. In another terminal:");
    page.gap();
    page.item(format_args!("URL={server}"));
    page.item(format_args!("KEY={}", stage.key.expose_secret()));
    page.gap();
    page.item("curl -H \"Authorization: $KEY\" $URL/api/user-action");
    page.item("curl -H \"Authorization: $KEY\" $URL/api/user?email=emma@example.com");
    page.item("curl -H \"Authorization: $KEY\" \"$URL/api/user/action?userId=ID-OF-A-USER\"");
    page.gap();
    page.say(
        "or repeat a request from above, with -X POST, -H 'Content-Type: application/json' and \
         -d '…'. Whatever is delivered then appears here.",
    );
}

async fn show_webhooks(page: &Page, inbox: &Inbox<Received>) {
    let mut count = inbox.all().len();
    while let Some(received) = inbox.next_after(count).await {
        count += 1;
        page.gap();
        page.webhook(&received, "now");
    }
}

async fn show_mails(page: &Page, inbox: &Inbox<Mail>) {
    let mut count = inbox.all().len();
    while let Some(mail) = inbox.next_after(count).await {
        count += 1;
        page.gap();
        page.mail(&mail, "now");
    }
}
