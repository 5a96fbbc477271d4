//! After the story: the server goes on, and so do the receiver and the mailbox.

use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::inbox::Inbox;
use crate::mailbox::Mail;
use crate::print::Page;
use crate::receiver::Received;
use crate::scene::Scene;
use crate::stage::Stage;

/// Shows whatever arrives, until `stop`.
pub(crate) async fn explore(scene: &Scene, stage: &Stage, stop: &CancellationToken) {
    let (webhooks, mails) = (&scene.receiver.inbox, &scene.mailbox.inbox);
    let last = webhooks.all().pop();
    let user = last.map(|received| received.text("actioneeUserId").to_owned());
    invite(
        &scene.page,
        stage,
        user.as_deref().unwrap_or("ID-OF-A-USER"),
    );
    tokio::select! {
        () = stop.cancelled() => {}
        () = show_webhooks(&scene.page, webhooks) => {}
        () = show_mails(&scene.page, mails) => {}
    }
}

fn invite(page: &Page, stage: &Stage, user: &str) {
    let server = format!("http://{}", stage.server.address);
    page.heading("Explore");
    page.say("Everything is still running, until Ctrl-C. In another terminal:");
    page.gap();
    page.item(format_args!("URL={server}"));
    page.item(format_args!("KEY={}", stage.key.expose_secret()));
    page.gap();
    for path in [
        "/api/user-action",
        "/api/user?email=emma@example.com",
        &format!("/api/user/action?userId={user}"),
    ] {
        page.item(format_args!(
            "curl -H \"Authorization: $KEY\" \"$URL{path}\""
        ));
    }
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
