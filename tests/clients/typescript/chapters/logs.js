// What can be looked up afterwards.
import assert from 'node:assert/strict';
import { codes, ok, refused } from '../support/client.js';
import { until } from '../support/wait.js';

export async function logs(world, step) {
  const { client, receiver } = world;

  await step('each webhook is in the log with its attempt', async () => {
    const search = { eventType: 'user.action', eventResult: 'Succeeded', numberOfResults: 100 };
    const settled = async () => {
      const { webhookEventLogs } = await ok(client.searchWebhookEventLogs({ search }));
      return webhookEventLogs.length >= receiver.received.length && webhookEventLogs;
    };
    const found = await until('the deliveries to be logged', settled);
    const { event } = receiver.received[0];
    const entry = found.find((log) => log.event.event.id === event.id);
    const { webhookEventLog } = await ok(client.retrieveWebhookEventLog(entry.id));
    assert.deepEqual(webhookEventLog.event.event, event);
    assert.deepEqual([webhookEventLog.successfulAttempts, webhookEventLog.failedAttempts], [1, 0]);
    const { webhookAttemptLog } = await ok(client.retrieveWebhookAttemptLog(webhookEventLog.attempts[0].id));
    assert.equal(webhookAttemptLog.attemptResult, 'Success');
    assert.equal(webhookAttemptLog.webhookCallResponse.statusCode, 204);
    assert.equal(webhookAttemptLog.webhookEventLogId, entry.id);
  });

  await step('the audit log keeps what it is told', async () => {
    const entry = { insertUser: 'admin@piedpiper.example', message: 'Looked into the story' };
    await ok(client.createAuditLog({ auditLog: entry }));
    assert.deepEqual(await codes(client.createAuditLog({ auditLog: {} })), [
      '[blank]auditLog.insertUser',
      '[blank]auditLog.message',
    ]);
    const found = await ok(client.searchAuditLogs({ search: { message: 'story' } }));
    assert.deepEqual([found.total, found.auditLogs[0].message], [1, entry.message]);
    const { auditLog } = await ok(client.retrieveAuditLog(found.auditLogs[0].id));
    assert.equal(auditLog.insertUser, entry.insertUser);
  });

  await step('the event log tells of a mail that could not be written', async () => {
    const text = '{{date user.data.joined}}';
    const { emailTemplate } = await ok(client.createEmailTemplate(null, {
      emailTemplate: {
        name: 'Anniversary', defaultSubject: text, defaultHtmlTemplate: text, defaultTextTemplate: text,
      },
    }));
    const { userAction } = await ok(client.createUserAction(null, {
      userAction: { name: 'Greet', userEmailingEnabled: true, startEmailTemplateId: emailTemplate.id },
    }));
    await ok(client.patchUser(world.reader.id, { user: { data: { joined: 'long ago' } } }));
    const { action } = await ok(client.actionUser({
      action: {
        actioneeUserId: world.reader.id, actionerUserId: world.admin.id,
        userActionId: userAction.id, emailUser: true,
      },
    }));
    const { total, eventLogs } = await ok(client.searchEventLogs({ search: { message: action.id } }));
    assert.deepEqual([total, eventLogs[0].type], [1, 'Error']);
    const { eventLog } = await ok(client.retrieveEventLog(eventLogs[0].id));
    assert.match(eventLog.message, /Anniversary/);
    await refused(client.retrieveEventLog(2_000_000_000), 404);
  });
}
