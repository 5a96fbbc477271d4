// Applications, and who is registered for them.
import assert from 'node:assert/strict';
import { codes, ok, refused } from '../support/client.js';
import { PASSWORD } from './users.js';

export async function applications(world, step) {
  const { client } = world;
  const names = async (list) => (await ok(list)).applications.map(({ name }) => name);
  let id;

  await step('an application is created, updated, patched and listed', async () => {
    const roles = [{ name: 'editor' }];
    ({ application: { id } } = await ok(client.createApplication(null, { application: { name: 'Forum', roles } })));
    const { application: updated } = await ok(
      client.updateApplication(id, { application: { name: 'Blog', roles, data: { colour: 'red' } } }),
    );
    assert.equal(updated.name, 'Blog');
    const { application: patched } = await ok(client.patchApplication(id, { application: { data: { size: 2 } } }));
    assert.deepEqual(patched.data, { colour: 'red', size: 2 });
    const { application: found } = await ok(client.retrieveApplication(id));
    assert.deepEqual([found.active, found.tenantId, found.roles[0].name], [true, world.tenant, 'editor']);
    assert.ok((await names(client.retrieveApplications())).includes('Blog'));
    assert.deepEqual(
      await codes(client.createApplication(null, { application: {} })),
      ['[blank]application.name'],
    );
  });

  await step('login tells who is registered for the application', async () => {
    const login = () => client.login({ loginId: 'guest', password: PASSWORD, applicationId: id });
    await ok(login(), 202);
    const request = { registration: { applicationId: id, roles: ['editor'] } };
    const { registration } = await ok(client.register(world.guest.id, request));
    assert.deepEqual([registration.applicationId, registration.roles], [id, ['editor']]);
    const { registration: found } = await ok(client.retrieveRegistration(world.guest.id, id));
    assert.equal(found.id, registration.id);
    await ok(login());
    await ok(client.deleteRegistration(world.guest.id, id));
    await refused(client.retrieveRegistration(world.guest.id, id), 404);
  });

  await step('an application is deactivated, reactivated and deleted', async () => {
    await ok(client.deactivateApplication(id));
    assert.deepEqual(await names(client.retrieveInactiveApplications()), ['Blog']);
    assert.ok(!(await names(client.retrieveApplications())).includes('Blog'));
    assert.equal((await ok(client.reactivateApplication(id))).application.active, true);
    await ok(client.deleteApplication(id));
    await refused(client.retrieveApplication(id), 404);
  });
}
