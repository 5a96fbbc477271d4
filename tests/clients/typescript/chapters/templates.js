// Email templates: one per phase, with a German subject.
import assert from 'node:assert/strict';
import { codes, ok, refused } from '../support/client.js';

const PHASES = ['start', 'modify', 'cancel', 'end'];

export async function templates(world, step) {
  const { client } = world;
  const texts = (phase) => ({
    name: `Subscription ${phase}`,
    defaultSubject: `${phase}: {{event.localizedAction}}`,
    defaultHtmlTemplate: '<p>{{user.firstName}}, {{event.localizedAction}}</p>',
    defaultTextTemplate: '{{user.firstName}}, {{event.localizedAction}}',
    localizedSubjects: { de: `Betreff ${phase}: {{event.localizedAction}}` },
  });
  const create = async (emailTemplate) =>
    (await ok(client.createEmailTemplate(null, { emailTemplate }))).emailTemplate;

  await step('a template for each phase is created, with German subjects', async () => {
    world.templates = {};
    for (const phase of PHASES) {
      const made = await create(texts(phase));
      assert.deepEqual(made.localizedHtmlTemplates, {});
      world.templates[`${phase}EmailTemplateId`] = made.id;
    }
    const { emailTemplates } = await ok(client.retrieveEmailTemplates());
    assert.equal(emailTemplates.length, PHASES.length);
  });

  await step('a template is retrieved, updated, patched, searched and deleted', async () => {
    const { id } = await create({ ...texts('draft'), name: 'Draft' });
    await ok(client.updateEmailTemplate(id, { emailTemplate: { ...texts('draft'), name: 'Second draft' } }));
    const change = { localizedSubjects: { fr: 'Sujet' } };
    await ok(client.patchEmailTemplate(id, { emailTemplate: change }));
    const { emailTemplate } = await ok(client.retrieveEmailTemplate(id));
    assert.equal(emailTemplate.name, 'Second draft');
    assert.deepEqual(Object.keys(emailTemplate.localizedSubjects), ['de', 'fr']);
    const found = await ok(client.searchEmailTemplates({ search: { name: '*draft' } }));
    assert.deepEqual([found.total, found.emailTemplates[0].id], [1, id]);
    await ok(client.deleteEmailTemplate(id));
    await refused(client.retrieveEmailTemplate(id), 404);
  });

  await step('a template that does not parse is refused', async () => {
    const emailTemplate = { ...texts('broken'), defaultSubject: '{{#if}' };
    assert.deepEqual(
      await codes(client.createEmailTemplate(null, { emailTemplate })),
      ['[invalid]emailTemplate.defaultSubject'],
    );
  });

  await step('a preview shows a template in a language, and what is wrong with it', async () => {
    const preview = async (emailTemplate) =>
      ok(client.retrieveEmailTemplatePreview({ emailTemplate, locale: 'de' }));
    const { email, errors } = await preview(texts('start'));
    assert.match(email.subject, /^Betreff start: /);
    assert.deepEqual(errors, { fieldErrors: {}, generalErrors: [] });
    const broken = await preview({ ...texts('start'), defaultTextTemplate: '{{#if}' });
    assert.deepEqual(
      Object.keys(broken.errors.fieldErrors),
      ['emailTemplate.defaultTextTemplate'],
    );
  });

  await step('a template is sent to a user and to an address', async () => {
    const { id } = await create({
      name: 'Newsletter', defaultSubject: 'News of {{requestData.month}}',
      defaultHtmlTemplate: '<p>News</p>', defaultTextTemplate: 'News',
      localizedSubjects: { de: 'Neues im {{requestData.month}}' },
    });
    const request = {
      userIds: [world.reader.id], toAddresses: [{ address: 'press@example.com' }],
      requestData: { month: 'May' },
    };
    await ok(client.sendEmail(id, request), 202);
    assert.deepEqual((await world.mailbox.mail('Neues im May')).to, [world.reader.email]);
    assert.deepEqual((await world.mailbox.mail('News of May')).to, ['press@example.com']);
    assert.deepEqual(await codes(client.sendEmail(id, {})), ['[missing]userIds']);
  });
}
