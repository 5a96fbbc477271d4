// Checks `X-FusionAuth-Signature-JWT` with nothing but what Node has, as an integrator may.
import assert from 'node:assert/strict';
import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';

const json = (part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

/** The header of a signature that is right for this body; `secretOf` is for shared secrets. */
export function verified(jwt, body, keySet, secretOf) {
  const [header, payload, signature] = jwt.split('.');
  const { alg, kid, typ } = json(header);
  assert.equal(typ, 'JWT');
  const message = Buffer.from(`${header}.${payload}`);
  const bytes = Buffer.from(signature, 'base64url');
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('HS')) {
    assert.ok(timingSafeEqual(createHmac(hash, secretOf(kid)).update(message).digest(), bytes));
  } else {
    const jwk = keySet.keys.find((key) => key.kid === kid);
    assert.deepEqual([jwk?.alg, jwk?.use], [alg, 'sig']);
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const way = { key, dsaEncoding: 'ieee-p1363' };
    assert.ok(verify(alg === 'EdDSA' ? null : hash, message, way, bytes), `${alg} does not verify`);
  }
  assert.deepEqual(json(payload), {
    request_body_sha256: createHash('sha256').update(body).digest('base64'),
  });
  return { alg, kid };
}
