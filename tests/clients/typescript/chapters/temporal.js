// A ban from its start over a change to its end, and another that is canceled.
import assert from 'node:assert/strict';
import { codes, ok, refused } from '../support/client.js';
import { sleep, until } from '../support/wait.js';
import { PASSWORD } from './users.js';

// The largest instant, as far as JavaScript can write it.
const FOR_EVER = Number('9223372036854775807');

export async function temporal(world, step) {
  const { client, receiver, mailbox } = world;
  const reader = world.reader.id;
  const actionerUserId = world.admin.id;
  const take = async (more) => {
    const action = {
      actioneeUserId: reader, actionerUserId, userActionId: world.ban,
      reasonId: world.reason, emailUser: true, ...more,
    };
    return (await ok(client.actionUser({ broadcast: true, action }))).action;
  };
  const login = () => client.login({ loginId: world.reader.email, password: PASSWORD });
  const ids = async (list) => (await ok(list)).actions.map((action) => action.id);
  let ban;

  await step('a ban starts: in the webhook and in the mail it has its German name', async () => {
    ban = await take({ comment: 'first', expiry: Date.now() + 10_000 });
    assert.deepEqual([ban.name, ban.localizedName], ['Ban', 'Sperre']);
    assert.deepEqual([ban.reasonCode, ban.localizedReason], ['SP', 'Werbung']);
    assert.deepEqual([ban.endEventSent, ban.history], [false, undefined]);
    const event = await receiver.event(ban.id, 'start');
    assert.deepEqual([event.action, event.localizedAction], ['Ban', 'Sperre']);
    assert.deepEqual([event.emailedUser, event.tenantId], [true, world.tenant]);
    assert.equal(event.email.subject, 'Betreff start: Sperre');
    assert.equal(receiver.received.at(-1).headers['x-story'], 'typescript');
    const mail = await mailbox.mail('Betreff start: Sperre');
    assert.deepEqual(mail.to, ['reader@piedpiper.example']);
  });

  await step('the ban is active, prevents login, and says so', async () => {
    assert.deepEqual(await ids(client.retrieveActiveActions(reader)), [ban.id]);
    assert.deepEqual(await ids(client.retrieveActionsPreventingLogin(reader)), [ban.id]);
    assert.deepEqual(await ids(client.retrieveInactiveActions(reader)), []);
    const { actions } = await refused(login(), 409);
    assert.equal(actions.length, 1);
    assert.deepEqual([actions[0].actionId, actions[0].name], [world.ban, 'Ban']);
  });

  await step('a change keeps what it replaced', async () => {
    const action = { actionerUserId, comment: 'second', emailUser: true, expiry: Date.now() + 3_000 };
    const { action: changed } = await ok(client.modifyAction(ban.id, { broadcast: true, action }));
    assert.equal(changed.expiry, action.expiry);
    assert.equal(changed.history.historyItems.length, 1);
    assert.equal(changed.history.historyItems[0].comment, 'first');
    await receiver.event(ban.id, 'modify');
    await mailbox.mail('Betreff modify: Sperre');
  });

  await step('the ban ends by itself, once, and login works again', async () => {
    await receiver.event(ban.id, 'end');
    await mailbox.mail('Betreff end: Sperre');
    const sent = async () => (await ok(client.retrieveAction(ban.id))).action.endEventSent;
    await until('the end to be noted', sent);
    assert.deepEqual(await ids(client.retrieveInactiveActions(reader)), [ban.id]);
    assert.deepEqual(await ids(client.retrieveActiveActions(reader)), []);
    assert.equal((await ok(login())).user.id, reader);
  });

  await step('a ban without an end is canceled, once, and does not end later', async () => {
    const canceled = await take({ comment: 'third', expiry: Date.now() + 4_000 });
    const eternal = await take({ expiry: FOR_EVER });
    assert.equal(eternal.expiry, FOR_EVER);
    const action = { actionerUserId, comment: 'fourth', emailUser: true };
    for (const { id } of [canceled, eternal]) {
      const { action: log } = await ok(client.cancelAction(id, { broadcast: true, action }));
      assert.ok(log.expiry <= Date.now() + 1_000, `${log.expiry}`);
      assert.deepEqual([log.comment, log.endEventSent], ['fourth', false]);
      await receiver.event(id, 'cancel');
      assert.deepEqual(await codes(client.cancelAction(id, { action })), ['[invalid]actionId']);
    }
    await mailbox.mail('Betreff cancel: Sperre');
    await sleep(canceled.expiry - Date.now() + 2_000);
    const phases = receiver.events(canceled.id).map((event) => event.phase);
    assert.deepEqual(phases.sort(), ['cancel', 'start']);
    assert.deepEqual(receiver.events(ban.id).map((event) => event.phase), ['start', 'modify', 'end']);
  });
}
