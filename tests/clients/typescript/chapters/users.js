// Users: an administrator who acts, and a reader who is acted upon.
import assert from 'node:assert/strict';
import { codes, ok, refused } from '../support/client.js';

export const PASSWORD = 'a long enough password';

export async function users(world, step) {
  const { client } = world;
  const create = async (user) => (await ok(client.createUser(null, { user }))).user;

  await step('two users are created, one of whom reads German', async () => {
    world.admin = await create({ email: 'admin@piedpiper.example', password: PASSWORD });
    world.reader = await create({
      email: 'Reader@piedpiper.example', password: PASSWORD, firstName: 'Lea',
      lastName: 'Leser', preferredLanguages: ['de'],
    });
    assert.equal(world.reader.email, 'reader@piedpiper.example');
    assert.equal(world.reader.tenantId, world.tenant);
    assert.equal('password' in world.reader, false);
  });

  await step('the address is taken', async () => {
    const user = { email: 'READER@piedpiper.example', password: PASSWORD };
    assert.deepEqual(await codes(client.createUser(null, { user })), ['[duplicate]user.email']);
  });

  await step('a user is found by Id, address, name and either', async () => {
    const guest = await create({ username: 'Guest', password: PASSWORD });
    world.guest = guest;
    for (const [call, id] of [
      [client.retrieveUser(guest.id), guest.id],
      [client.retrieveUserByUsername('guest'), guest.id],
      [client.retrieveUserByEmail('reader@piedpiper.example'), world.reader.id],
      [client.retrieveUserByLoginId('reader@piedpiper.example'), world.reader.id],
      [client.retrieveUserByLoginId('GUEST'), guest.id],
    ]) assert.equal((await ok(call)).user.id, id);
    await refused(client.retrieveUserByEmail('nobody@piedpiper.example'), 404);
  });

  await step('a user is updated and patched', async () => {
    const { id } = world.guest;
    const { user: updated } = await ok(client.updateUser(id, {
      user: { username: 'Guest', fullName: 'A Guest', data: { seat: 1 } },
    }));
    assert.equal(updated.fullName, 'A Guest');
    const { user: patched } = await ok(client.patchUser(id, { user: { data: { row: 2 } } }));
    assert.equal(patched.fullName, 'A Guest');
    assert.equal(patched.data.row, 2);
  });

  await step('login knows who is there, who is locked, and who is a stranger', async () => {
    const { id } = world.guest;
    const login = (password) => client.login({ loginId: 'guest', password });
    assert.equal((await ok(login(PASSWORD))).user.id, id);
    assert.equal(await refused(login('wrong password'), 404), undefined);
    assert.deepEqual(await codes(client.login({})), ['[blank]loginId', '[blank]password']);
    await ok(client.deactivateUser(id));
    assert.equal(await refused(login(PASSWORD), 423), undefined);
    assert.equal((await ok(client.reactivateUser(id))).user.active, true);
    await ok(login(PASSWORD));
  });
}
