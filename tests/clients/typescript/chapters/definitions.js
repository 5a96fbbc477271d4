// What can be done to users, and why.
import assert from 'node:assert/strict';
import { codes, ok, refused } from '../support/client.js';

export async function definitions(world, step) {
  const { client } = world;

  await step('a temporal action that prevents login is defined', async () => {
    const { userAction } = await ok(client.createUserAction(null, {
      userAction: {
        ...world.templates, name: 'Ban', localizedNames: { de: 'Sperre' }, temporal: true,
        preventLogin: true, sendEndEvent: true, includeEmailInEventJSON: true,
        userEmailingEnabled: true,
      },
    }));
    assert.equal(userAction.active, true);
    assert.deepEqual(userAction.localizedNames, { de: 'Sperre' });
    world.ban = userAction.id;
  });

  await step('a template in use cannot be deleted', async () => {
    const { startEmailTemplateId } = world.templates;
    assert.deepEqual(await codes(client.deleteEmailTemplate(startEmailTemplateId)), ['[inUse]emailTemplateId']);
  });

  await step('a reason is created', async () => {
    const { userActionReason } = await ok(client.createUserActionReason(null, {
      userActionReason: { code: 'SP', text: 'Spam', localizedTexts: { de: 'Werbung' } },
    }));
    world.reason = userActionReason.id;
  });

  await step('a reason is updated, patched, listed and deleted', async () => {
    const userActionReason = { code: 'PS', text: 'Paid Subscription' };
    const { userActionReason: { id } } = await ok(client.createUserActionReason(null, { userActionReason }));
    await ok(client.updateUserActionReason(id, { userActionReason: { code: 'PS', text: 'Paid' } }));
    const { userActionReason: patched } = await ok(
      client.patchUserActionReason(id, { userActionReason: { localizedTexts: { de: 'Bezahlt' } } }),
    );
    assert.deepEqual([patched.text, patched.localizedTexts], ['Paid', { de: 'Bezahlt' }]);
    assert.equal((await ok(client.retrieveUserActionReason(id))).userActionReason.code, 'PS');
    const { userActionReasons } = await ok(client.retrieveUserActionReasons());
    assert.deepEqual(userActionReasons.map((reason) => reason.text), ['Paid', 'Spam']);
    await ok(client.deleteUserActionReason(id));
    await refused(client.retrieveUserActionReason(id), 404);
  });

  await step('a definition is updated, patched with one option more, and listed', async () => {
    const userAction = { name: 'Survey', options: [{ name: 'Happy' }] };
    const { userAction: { id } } = await ok(client.createUserAction(null, { userAction }));
    world.survey = id;
    const options = [{ name: 'Happy', localizedNames: { de: 'Zufrieden' } }];
    await ok(client.updateUserAction(id, { userAction: { name: 'Satisfaction', options } }));
    // To a list, a patch of this client appends.
    await ok(client.patchUserAction(id, { userAction: { options: [{ name: 'Sad' }] } }));
    const { userAction: found } = await ok(client.retrieveUserAction(id));
    assert.equal(found.name, 'Satisfaction');
    assert.deepEqual(found.options.map((option) => option.name), ['Happy', 'Sad']);
    const { userActions } = await ok(client.retrieveUserActions());
    assert.deepEqual(userActions.map((action) => action.name), ['Ban', 'Satisfaction']);
    // Without an Id the same method lists.
    assert.equal((await ok(client.retrieveUserAction(null))).userActions.length, 2);
  });

  await step('a definition that contradicts itself is refused', async () => {
    const userAction = { name: ' ', preventLogin: true };
    assert.deepEqual(await codes(client.createUserAction(null, { userAction })), [
      '[blank]userAction.name',
      '[invalid]userAction.preventLogin',
    ]);
  });
}
