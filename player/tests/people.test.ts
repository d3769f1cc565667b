import { describe, expect, it } from 'vitest';
import { inviteLink, parseInvited, parsePeople, type People, type Person } from '../src/people/messages';
import { ownNotice } from '../src/people/notices';
import { DEFAULT_TEXTS } from '../src/texts';
import { personName, roleText } from '../src/view/people_list';

const HOST: Person = { id: 1, role: 'host' };
const GUEST: Person = { id: 2, role: 'guest' };

function people(self: Person, ...others: Person[]): People {
  return { self: self.id, mayInvite: false, limit: 8, people: [self, ...others] };
}

describe('parsePeople', () => {
  it('reads the people and what is known of each', () => {
    const ada = { id: 2, role: 'guest', name: 'Ada', muted: true, away: true };
    const message = { type: 'people', self: 1, mayInvite: true, limit: 8, people: [HOST, ada] };
    expect(parsePeople(message)).toEqual({ self: 1, mayInvite: true, limit: 8, people: [HOST, ada] });
  });

  it.each([undefined, null, 7, {}, { self: 1 }, { self: 1, people: 'x' }, { self: 3, people: [HOST, GUEST] }])(
    'returns nothing without an own person: %j',
    (message) => {
      expect(parsePeople(message)).toBeUndefined();
    },
  );

  it('ignores what is no person, and reduces names to one line', () => {
    const odd = [null, 7, { id: '2', role: 'guest' }, { id: 3, role: 'king' }, { id: 4, role: 'guest', name: 'A\n b' }];
    expect(parsePeople({ self: 1, people: [HOST, ...odd] })?.people).toEqual([
      HOST,
      { id: 4, role: 'guest', name: 'A b' },
    ]);
  });

  it('lets only a host invite', () => {
    expect(parsePeople({ self: 2, mayInvite: true, people: [HOST, GUEST] })?.mayInvite).toBe(false);
  });
});

describe('parseInvited', () => {
  it.each([
    [{ token: 'a.b-c_d' }, { token: 'a.b-c_d' }],
    [{ error: 'no more' }, { error: 'no more' }],
    [{ token: 'a b' }, { error: '' }],
    [null, { error: '' }],
  ])('reads %j', (message, result) => {
    expect(parseInvited(message)).toEqual(result);
  });
});

describe('inviteLink', () => {
  it.each([
    ['https://play.example/', 'https://play.example/?invite=t.k'],
    ['https://play.example/x/?id=cam&link=secret&resume=1#top', 'https://play.example/x/?invite=t.k'],
    ['https://play.example/?_ws=wss://a.example', 'https://play.example/?_ws=wss%3A%2F%2Fa.example&invite=t.k'],
  ])('of %s contains nothing of the host', (page, link) => {
    expect(inviteLink(page, 't.k')).toBe(link);
  });
});

describe('ownNotice', () => {
  const muted: Person = { ...GUEST, muted: true };
  const heir: Person = { id: 2, role: 'host' };
  it.each([
    [undefined, people(HOST), undefined],
    [undefined, people(GUEST, HOST), 'notice.people.guest'],
    [undefined, people({ id: 2, role: 'spectator' }, HOST), 'notice.people.spectator'],
    [people(GUEST, HOST), people(GUEST, HOST), undefined],
    [people(GUEST, HOST), people(muted, HOST), 'notice.people.muted'],
    [people(muted, HOST), people(GUEST, HOST), 'notice.people.unmuted'],
    [people(muted, HOST), people(heir), 'notice.people.host'],
    [people(HOST, GUEST), people({ id: 1, role: 'guest' }, heir), 'notice.people.handed-over'],
  ] as const)('from %j to %j', (before, now, notice) => {
    expect(ownNotice(before, now)).toBe(notice);
  });
});

describe('the list', () => {
  it('names people without a name by their number', () => {
    expect(personName(GUEST, DEFAULT_TEXTS)).toBe('Guest 2');
    expect(personName({ ...GUEST, name: 'Ada' }, DEFAULT_TEXTS)).toBe('Ada');
  });

  it('shows what a person is', () => {
    expect(roleText(HOST, 1, DEFAULT_TEXTS)).toBe('Host · you');
    expect(roleText({ ...GUEST, muted: true, away: true }, 1, DEFAULT_TEXTS)).toBe('Guest · input off · reconnecting');
  });
});
