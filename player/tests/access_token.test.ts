import { describe, expect, it } from 'vitest';
import { authorization, isToken, setToken, subprotocols } from '../src/sign_in/access_token';

describe('an access token', () => {
  it('is sent as a subprotocol and as a header', () => {
    expect([subprotocols(), authorization()]).toEqual([[], {}]);
    setToken('a.b-c_d');
    expect([subprotocols(), authorization()]).toEqual([['pixelfleet', 'bearer.a.b-c_d'], { Authorization: 'Bearer a.b-c_d' }]);
    setToken('a.b+/=');
    expect(subprotocols()).toEqual([]); // WebSocket would throw
  });

  it.each(['', 'a b', 'a\r\nb', 'ü', 'x'.repeat(8193), 7, undefined, null])('is not %j', (value) => {
    expect(isToken(value)).toBe(false);
  });
});
