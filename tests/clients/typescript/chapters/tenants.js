// Tenants: one for the story, with its own mail server and the event switched on.
import assert from 'node:assert/strict';
import { codes, ok, refused } from '../support/client.js';

export async function tenants(world, step) {
  const { client } = world;

  await step('a tenant is created, and everything below belongs to it', async () => {
    const { tenant } = await ok(client.createTenant(null, { tenant: { name: 'Pied Piper' } }));
    client.setTenantId(tenant.id);
    world.tenant = tenant.id;
  });

  await step('a patch gives it a mail server and switches the event on', async () => {
    const change = {
      emailConfiguration: {
        host: '127.0.0.1', port: world.mailbox.port,
        defaultFromEmail: 'news@piedpiper.example', defaultFromName: 'Pied Piper',
      },
      eventConfiguration: { events: { 'user.action': { enabled: true, transactionType: 'None' } } },
    };
    const { tenant } = await ok(client.patchTenant(world.tenant, { tenant: change }));
    assert.equal(tenant.name, 'Pied Piper');
    assert.equal(tenant.emailConfiguration.port, world.mailbox.port);
    assert.equal(tenant.eventConfiguration.events['user.action'].enabled, true);
    const { tenant: found } = await ok(client.retrieveTenant(world.tenant));
    assert.deepEqual(found, tenant);
  });

  await step('tenants are listed, searched, updated and deleted', async () => {
    const make = async (name) => (await ok(client.createTenant(null, { tenant: { name } }))).tenant.id;
    const [hooli, raviga] = [await make('Hooli'), await make('Raviga')];
    assert.deepEqual(
      await codes(client.createTenant(null, { tenant: { name: 'hooli' } })),
      ['[duplicate]tenant.name'],
    );
    const { tenants: all } = await ok(client.retrieveTenants());
    assert.ok([world.tenant, hooli, raviga].every((id) => all.some((tenant) => tenant.id === id)));

    const { tenant } = await ok(client.updateTenant(hooli, { tenant: { name: 'Hooli XYZ' } }));
    assert.equal(tenant.name, 'Hooli XYZ');
    const found = await ok(client.searchTenants({ search: { name: 'hooli*' } }));
    assert.deepEqual([found.total, found.tenants[0].id], [1, hooli]);

    await ok(client.deleteTenant(hooli));
    await ok(client.deleteTenantAsync(raviga), 202);
    await refused(client.retrieveTenant(hooli), 404);
  });
}
