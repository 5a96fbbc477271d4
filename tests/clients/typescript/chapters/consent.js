// An action that every webhook has to agree to: one that objects keeps it from happening.
import assert from 'node:assert/strict';
import { ok, refused } from '../support/client.js';
import { sleep } from '../support/wait.js';

export async function consent(world, step) {
  const { client, receiver, mailbox } = world;
  const reader = world.reader.id;
  const actionerUserId = world.admin.id;
  const take = () => client.actionUser({
    broadcast: true,
    action: {
      actioneeUserId: reader, actionerUserId, userActionId: world.ban, emailUser: true,
      expiry: Date.now() + 600_000,
    },
  });
  const setType = async (transactionType) => {
    const change = { userAction: { transactionType } };
    const { userAction } = await ok(client.patchUserAction(world.ban, change));
    assert.equal(userAction.transactionType, transactionType);
  };
  const actions = async () => (await ok(client.retrieveActions(reader))).actions;

  await step('a ban that a webhook objects to does not happen, and nobody is mailed', async () => {
    await setType('AbsoluteMajority');
    const [before, mails] = [await actions(), mailbox.mails.length];
    receiver.objects = true;
    const { generalErrors } = await refused(take(), 504);
    assert.deepEqual(generalErrors.map((error) => error.code), ['[WebhookTransactionException]']);
    assert.deepEqual(await actions(), before);
    await sleep(1_500);
    assert.equal(mailbox.mails.length, mails);
    const search = { eventResult: 'Failed' };
    const { total, webhookEventLogs: [log] } = await ok(client.searchWebhookEventLogs({ search }));
    assert.deepEqual([total, log.successfulAttempts, log.failedAttempts], [1, 0, 1]);
  });

  await step('a ban that it agrees to has reached it when the answer comes', async () => {
    receiver.objects = false;
    const { action: ban } = await ok(take());
    const action = { actionerUserId };
    await ok(client.cancelAction(ban.id, { broadcast: true, action }));
    assert.deepEqual(receiver.events(ban.id).map((event) => event.phase), ['start', 'cancel']);
    await setType('None');
  });
}
