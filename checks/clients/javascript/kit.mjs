// fhir-kit-client drives every interaction: node kit.mjs BASE-URL
import assert from 'node:assert/strict';
import { Client, CapabilityTool } from 'fhir-kit-client';
import { Ticks, refused } from './ticks.mjs';

const [baseUrl] = process.argv.slice(2);
const client = new Client({ baseUrl });
const ticks = new Ticks('fhir-kit-client');
const system = `urn:example:kit-${process.pid}-${Date.now()}`;
const http = (resource) => Client.httpFor(resource).response;
const header = (resource, name) => http(resource).headers.get(name);
const fhir = (accept) => ({ headers: { Accept: `application/fhir+${accept}` } });
const ids = (bundle) => (bundle.entry ?? []).map((entry) => entry.resource.id);
const types = (bundle) => new Set((bundle.entry ?? []).flatMap((entry) => entry.resource?.resourceType ?? []));
const search = (resourceType, searchParams, options) => client.search({ resourceType, searchParams, options });
const patient = (value, more = {}) => ({
  resourceType: 'Patient',
  meta: { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HTEST' }] },
  identifier: [{ system, value }],
  name: [{ family: 'Testpatient', given: [value] }],
  ...more,
});
const reading = (subject, code, value, at) => ({
  resourceType: 'Observation',
  status: 'final',
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'survey' }] }],
  code: { coding: [{ system: `${system}:codes`, code }], text: code },
  subject: { reference: subject },
  effectiveDateTime: at,
  valueQuantity: { value, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' },
});
const raw = (path, init = {}) => fetch(`${baseUrl}${path}`, init);
// Headers that speak of versions are the fetch standard's own: they go as they are.
const post = (resourceType, body, headers) => client.create({ resourceType, body, options: { headers } });

await ticks.show('capabilities', async () => {
  const statement = await client.capabilityStatement();
  const tool = new CapabilityTool(statement);
  assert.equal(statement.fhirVersion, '4.0.1');
  for (const code of ['read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'history-type', 'create', 'search-type']) {
    assert.ok(tool.resourceCan('Patient', code), code);
  }
  for (const code of ['transaction', 'batch', 'search-system', 'history-system']) assert.ok(tool.serverCan(code), code);
  assert.ok(tool.resourceSearch('Observation', 'code-value-quantity'));
});

const anna = await ticks.show('create prefer-representation json', async () => {
  const made = await client.create({ resourceType: 'Patient', body: patient('anna', { gender: 'female', birthDate: '1980-05-01' }) });
  assert.equal(http(made).status, 201);
  assert.match(header(made, 'content-type'), /^application\/fhir\+json/);
  assert.equal(header(made, 'etag'), 'W/"1"');
  assert.equal(header(made, 'location'), `${baseUrl}/Patient/${made.id}/_history/1`);
  assert.equal(made.meta.versionId, '1');
  assert.deepEqual(made.name, [{ family: 'Testpatient', given: ['anna'] }]);
  return made;
});

await ticks.show('read conditional-read head pretty', async () => {
  const read = await client.read({ resourceType: 'Patient', id: anna.id });
  assert.deepEqual(read, anna);
  const known = await raw(`/Patient/${anna.id}`, { headers: { 'If-None-Match': 'W/"1"' } });
  assert.equal(known.status, 304);
  assert.equal(await known.text(), '');
  const head = await raw(`/Patient/${anna.id}`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('etag'), 'W/"1"');
  assert.equal(await head.text(), '');
  const pretty = await raw(`/Patient/${anna.id}?_pretty=true`);
  const text = await pretty.text();
  assert.ok(text.includes('\n  "'));
  assert.deepEqual(JSON.parse(text), anna);
});

await ticks.show('update vread if-match', async () => {
  const changed = await client.update({
    resourceType: 'Patient',
    id: anna.id,
    body: { ...anna, birthDate: '1980-05-02' },
    options: { headers: { 'If-Match': 'W/"1"' } },
  });
  assert.equal(changed.meta.versionId, '2');
  assert.equal(changed.birthDate, '1980-05-02');
  const first = await client.vread({ resourceType: 'Patient', id: anna.id, version: '1' });
  assert.equal(first.birthDate, '1980-05-01');
  const outcome = await refused(412, () =>
    client.update({ resourceType: 'Patient', id: anna.id, body: anna, options: { headers: { 'If-Match': 'W/"1"' } } }),
  );
  assert.equal(outcome.resourceType, 'OperationOutcome');
  assert.equal((await client.read({ resourceType: 'Patient', id: anna.id })).birthDate, '1980-05-02');
});

await ticks.show('update-as-create', async () => {
  const id = `kit-${process.pid}-${Date.now()}`;
  const made = await client.update({ resourceType: 'Patient', id, body: { ...patient('own-id'), id } });
  assert.equal(http(made).status, 201);
  assert.equal(made.id, id);
  await refused(400, () => client.update({ resourceType: 'Patient', id, body: { ...patient('own-id'), id: 'another' } }));
});

await ticks.show('patch-json', async () => {
  const jsonPatch = [
    { op: 'test', path: '/gender', value: 'female' },
    { op: 'replace', path: '/birthDate', value: '1980-05-03' },
    { op: 'add', path: '/telecom', value: [{ system: 'phone', value: '555-0100' }] },
  ];
  const patched = await client.patch({ resourceType: 'Patient', id: anna.id, jsonPatch });
  assert.equal(patched.birthDate, '1980-05-03');
  assert.equal(patched.telecom[0].value, '555-0100');
  const unfit = [{ op: 'test', path: '/gender', value: 'male' }, { op: 'remove', path: '/birthDate' }];
  await refused(422, () => client.patch({ resourceType: 'Patient', id: anna.id, jsonPatch: unfit }));
});

const fhirPatch = (path, value) => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: path },
        { name: 'value', ...value },
      ],
    },
  ],
});

await ticks.show('patch-fhirpath', async () => {
  const patched = await client.request(`Patient/${anna.id}`, {
    method: 'PATCH',
    body: fhirPatch('Patient.birthDate', { valueDate: '1980-05-04' }),
    options: { headers: { 'Content-Type': 'application/fhir+json' } },
  });
  assert.equal(patched.birthDate, '1980-05-04');
  assert.equal(patched.telecom.length, 1);
});

await ticks.show('conditional-create', async () => {
  const criteria = { 'If-None-Exist': `identifier=${system}|only-one` };
  const answers = await Promise.all([1, 2, 3, 4].map(() => post('Patient', patient('only-one'), criteria)));
  assert.deepEqual(answers.map((answer) => http(answer).status).sort(), [200, 200, 200, 201]);
  assert.equal(new Set(answers.map((answer) => answer.id)).size, 1);
  assert.equal((await search('Patient', { identifier: `${system}|only-one` })).total, 1);
});

await ticks.show('conditional-update', async () => {
  const searchParams = { identifier: `${system}|by-search` };
  const update = (body) => client.update({ resourceType: 'Patient', searchParams, body });
  const made = await update(patient('by-search'));
  assert.equal(http(made).status, 201);
  const changed = await update(patient('by-search', { gender: 'other' }));
  assert.equal(http(changed).status, 200);
  assert.equal(changed.id, made.id);
  assert.equal(changed.gender, 'other');
});

await ticks.show('conditional-patch conditional-delete delete', async () => {
  const found = `Patient?identifier=${encodeURIComponent(`${system}|by-search`)}`;
  const patched = await client.request(found, {
    method: 'PATCH',
    body: [{ op: 'replace', path: '/gender', value: 'unknown' }],
    options: { headers: { 'Content-Type': 'application/json-patch+json' } },
  });
  assert.equal(patched.gender, 'unknown');
  // All of Testpatient: more than one, and nothing is deleted.
  const several = await refused(412, () => client.request(`Patient?identifier=${encodeURIComponent(`${system}|`)}`, { method: 'DELETE' }));
  assert.equal(several.issue[0].code, 'multiple-matches');
  await client.request(found, { method: 'DELETE' });
  await refused(410, () => client.read({ resourceType: 'Patient', id: patched.id }));
  const made = await client.create({ resourceType: 'Patient', body: patient('gone') });
  await client.delete({ resourceType: 'Patient', id: made.id });
  const gone = await refused(410, () => client.read({ resourceType: 'Patient', id: made.id }));
  assert.equal(gone.issue[0].code, 'deleted');
  assert.equal((await search('Patient', { identifier: `${system}|gone` })).total, 0);
  const history = await client.history({ resourceType: 'Patient', id: made.id });
  assert.deepEqual(history.entry.map((entry) => entry.request.method), ['DELETE', 'POST']);
  assert.equal(history.entry[0].resource, undefined);
});

await ticks.show('prefer-minimal prefer-outcome', async () => {
  const minimal = await post('Patient', patient('minimal'), { Prefer: 'return=minimal' });
  assert.equal(http(minimal).status, 201);
  assert.deepEqual({ ...minimal }, {});
  const outcome = await post('Patient', patient('outcome'), { Prefer: 'return=OperationOutcome' });
  assert.equal(outcome.resourceType, 'OperationOutcome');
  const made = header(outcome, 'location').slice(`${baseUrl}/Patient/`.length).split('/')[0];
  assert.equal((await client.read({ resourceType: 'Patient', id: made })).name[0].given[0], 'outcome');
});

await ticks.show('history-instance history-type history-system history-count history-since history-at', async () => {
  const own = await client.history({ resourceType: 'Patient', id: anna.id });
  assert.equal(own.type, 'history');
  assert.equal(own.total, 4);
  assert.deepEqual(own.entry.map((entry) => entry.resource.meta.versionId), ['4', '3', '2', '1']);
  assert.deepEqual(own.entry.map((entry) => entry.request.method), ['PATCH', 'PATCH', 'PUT', 'POST']);
  const two = await client.request(`Patient/${anna.id}/_history?_count=2`);
  assert.equal(two.entry.length, 2);
  const rest = await client.nextPage({ bundle: two });
  assert.deepEqual(rest.entry.map((entry) => entry.resource.meta.versionId), ['2', '1']);
  assert.equal(client.nextPage({ bundle: rest }), undefined);
  const third = own.entry[1].resource.meta.lastUpdated;
  const since = await client.request(`Patient/${anna.id}/_history?_since=${encodeURIComponent(third)}`);
  assert.deepEqual(since.entry.map((entry) => entry.resource.meta.versionId), ['4', '3']);
  const at = await client.request(`Patient/${anna.id}/_history?_at=${encodeURIComponent(third)}`);
  assert.ok(at.entry.some((entry) => entry.resource.meta.versionId === '3'));
  assert.ok(!at.entry.some((entry) => entry.resource.meta.versionId === '1'));
  assert.deepEqual(types(await client.history({ resourceType: 'Patient' })).size, 1);
  const all = await client.history();
  assert.ok(all.entry.length > 4);
});

await ticks.show('search-get search-post search-system total', async () => {
  const bob = await client.create({ resourceType: 'Patient', body: patient('bob', { gender: 'male', birthDate: '1975' }) });
  const found = await search('Patient', { identifier: `${system}|bob`, birthdate: 'lt1976', 'family:exact': 'Testpatient' });
  assert.deepEqual(ids(found), [bob.id]);
  assert.equal(found.entry[0].search.mode, 'match');
  assert.equal(found.entry[0].fullUrl, `${baseUrl}/Patient/${bob.id}`);
  assert.equal(found.link[0].relation, 'self');
  const posted = await search('Patient', { identifier: `${system}|bob` }, { postSearch: true });
  assert.deepEqual(ids(posted), [bob.id]);
  const everywhere = await client.search({ searchParams: { _type: 'Patient,Observation', _id: bob.id } });
  assert.deepEqual(ids(everywhere), [bob.id]);
  const everywherePosted = await client.systemSearch({ searchParams: { _id: bob.id }, options: { postSearch: true } });
  assert.deepEqual(ids(everywherePosted), [bob.id]);
  const none = await search('Patient', { identifier: `${system}|bob`, _total: 'none' });
  assert.equal(none.total, undefined);
  assert.equal((await search('Patient', { identifier: `${system}|`, _total: 'accurate', _count: '0' })).entry, undefined);
});

const course = await ticks.show('transaction transaction-conditional-create', async () => {
  const urn = (n) => `urn:uuid:00000000-0000-4000-8000-00000000000${n}`;
  const entries = [
    {
      fullUrl: urn(1),
      resource: patient('course'),
      request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=${system}|course` },
    },
    {
      fullUrl: urn(2),
      resource: {
        resourceType: 'Encounter',
        status: 'finished',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
        subject: { reference: urn(1) },
      },
      request: { method: 'POST', url: 'Encounter' },
    },
    ...[10, 20, 30].map((value, at) => ({
      resource: { ...reading(urn(1), 'dose', value, `2026-02-0${at + 1}T10:00:00Z`), encounter: { reference: urn(2) } },
      request: { method: 'POST', url: 'Observation' },
    })),
    {
      fullUrl: urn(3),
      resource: { ...reading(urn(1), 'mood', 5, '2026-02-04'), hasMember: [{ reference: urn(4) }] },
      request: { method: 'POST', url: 'Observation' },
    },
    {
      fullUrl: urn(4),
      resource: { ...reading(urn(1), 'sleep', 6, '2026-02-04'), derivedFrom: [{ reference: urn(3) }] },
      request: { method: 'POST', url: 'Observation' },
    },
  ];
  const answer = await client.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry: entries } });
  assert.equal(answer.type, 'transaction-response');
  assert.equal(answer.entry.length, entries.length);
  assert.ok(answer.entry.every((entry) => entry.response.status.startsWith('201')));
  const placed = answer.entry.map((entry) => entry.response.location.replace(`${baseUrl}/`, '').split('/').slice(0, 2).join('/'));
  const mood = await client.resolve({ reference: placed[5] });
  assert.deepEqual(mood.subject, { reference: placed[0] });
  // In a circle, and both are there.
  assert.deepEqual(mood.hasMember, [{ reference: placed[6] }]);
  assert.deepEqual((await client.resolve({ reference: placed[6] })).derivedFrom, [{ reference: placed[5] }]);
  const again = await client.transaction({
    body: { resourceType: 'Bundle', type: 'transaction', entry: [entries[0]] },
  });
  assert.ok(again.entry[0].response.status.startsWith('200'));
  assert.ok(again.entry[0].response.location.includes(placed[0]));
  return { patient: placed[0], encounter: placed[1] };
});

await ticks.show('transaction-conditional-reference transaction-whole-or-nothing transaction-duplicates', async () => {
  const about = (subject) => ({ resource: reading(subject, 'note', 1, '2026-02-05'), request: { method: 'POST', url: 'Observation' } });
  const send = (...entry) => client.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry } });
  const answer = await send(about(`Patient?identifier=${system}|course`));
  const made = await client.request(answer.entry[0].response.location);
  assert.deepEqual(made.subject, { reference: course.patient });
  const before = (await search('Observation', { subject: course.patient })).total;
  await refused(412, () => send(about(course.patient), about(`Patient?identifier=${system}|nobody`)));
  const twice = { resource: { ...patient('twice'), id: 'kit-twice' }, request: { method: 'PUT', url: 'Patient/kit-twice' } };
  const outcome = await refused(400, () => send(twice, twice));
  assert.equal(outcome.issue[0].code, 'duplicate');
  assert.equal((await search('Observation', { subject: course.patient })).total, before);
});

await ticks.show('batch', async () => {
  const answer = await client.batch({
    body: {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [
        { request: { method: 'GET', url: course.patient } },
        { request: { method: 'GET', url: 'Patient/nobody-of-that-id' } },
        { request: { method: 'GET', url: `Observation?subject=${course.patient}&code=dose&_count=2` } },
      ],
    },
  });
  assert.equal(answer.type, 'batch-response');
  assert.deepEqual(answer.entry.map((entry) => entry.response.status.slice(0, 3)), ['200', '404', '200']);
  assert.equal(answer.entry[0].resource.name[0].given[0], 'course');
  assert.equal(answer.entry[1].response.outcome.resourceType, 'OperationOutcome');
  assert.equal(answer.entry[2].resource.total, 3);
  assert.equal(answer.entry[2].resource.entry.length, 2);
});

await ticks.show('paging', async () => {
  let page = await search('Observation', { subject: course.patient, _sort: '-date', _count: '2' });
  const all = [];
  while (page) {
    assert.ok(page.entry.length <= 2);
    all.push(...page.entry.map((entry) => entry.resource));
    // What is stored while somebody turns the pages moves nothing.
    if (all.length === 2) await client.create({ resourceType: 'Observation', body: reading('Patient/somebody-else', 'dose', 1, '2027-01-01') });
    page = await client.nextPage({ bundle: page });
  }
  const dates = all.map((one) => one.effectiveDateTime.slice(0, 10));
  assert.deepEqual(dates, [...dates].sort().reverse());
  assert.equal(new Set(all.map((one) => one.id)).size, 6);
});

await ticks.show('search-chain search-include compartment', async () => {
  const chained = await search('Observation', { 'subject:Patient.identifier': `${system}|course`, code: `${system}:codes|dose` });
  assert.equal(chained.total, 3);
  const turned = await search('Patient', { '_has:Observation:subject:code': `${system}:codes|dose` });
  assert.deepEqual(ids(turned), [course.patient.split('/')[1]]);
  const along = await search('Observation', { code: `${system}:codes|mood`, _include: ['Observation:subject', 'Observation:has-member'] });
  assert.deepEqual(along.entry.map((entry) => entry.search.mode).sort(), ['include', 'include', 'match']);
  assert.equal(along.total, 1);
  const back = await search('Patient', { identifier: `${system}|course`, _revinclude: 'Observation:subject' });
  assert.equal(back.entry.filter((entry) => entry.search.mode === 'include').length, 6);
  const compartment = { resourceType: 'Patient', id: course.patient.split('/')[1] };
  const own = await client.compartmentSearch({ resourceType: 'Observation', compartment, searchParams: { code: 'dose' } });
  assert.equal(own.total, 3);
  const greater = await search('Observation', { subject: course.patient, 'value-quantity': 'ge0.02|http://unitsofmeasure.org|g' });
  assert.deepEqual(greater.entry.map((entry) => entry.resource.valueQuantity.value).sort(), [20, 30]);
});

await ticks.show('strict lenient outcomes', async () => {
  const outcome = await refused(400, () => search('Patient', { nonsense: 'x', identifier: `${system}|bob` }));
  assert.equal(outcome.resourceType, 'OperationOutcome');
  assert.match(outcome.issue[0].details?.text ?? outcome.issue[0].diagnostics, /nonsense/);
  const lenient = await search('Patient', { nonsense: 'x', identifier: `${system}|bob` }, { headers: { Prefer: 'handling=lenient' } });
  const self = lenient.link.find((link) => link.relation === 'self').url;
  assert.ok(!self.includes('nonsense') && self.includes('identifier'), self);
  assert.ok(lenient.entry.some((entry) => entry.search.mode === 'outcome'));
  assert.equal(lenient.total, 1);
  assert.equal((await refused(404, () => client.read({ resourceType: 'Patient', id: 'nobody' }))).issue[0].code, 'not-found');
  const invalid = await refused(422, () => client.create({ resourceType: 'Patient', body: { ...patient('x'), gender: 'x' } }));
  assert.ok(invalid.issue.some((issue) => issue.expression?.[0] === 'Patient.gender'));
  assert.equal((await refused(400, () => client.create({ resourceType: 'Patient', body: { resourceType: 'Goal' } }))).resourceType, 'OperationOutcome');
});

await ticks.show('summary elements', async () => {
  const summary = await search('Observation', { subject: course.patient, _summary: 'count' });
  assert.deepEqual([summary.total, summary.entry], [6, undefined]);
  const elements = await search('Patient', { identifier: `${system}|course`, _elements: 'name' });
  const [only] = elements.entry.map((entry) => entry.resource);
  assert.deepEqual(Object.keys(only).sort(), ['id', 'meta', 'name', 'resourceType']);
  assert.ok(only.meta.tag.some((tag) => tag.code === 'SUBSETTED'));
  const read = await client.request(`${course.patient}?_elements=name`);
  assert.deepEqual(Object.keys(read).sort(), ['id', 'meta', 'name', 'resourceType']);
  const short = await client.request(`${course.patient}?_summary=text`);
  assert.ok(short.meta.tag.some((tag) => tag.code === 'SUBSETTED') && !short.name, JSON.stringify(short));
});

await ticks.show('everything everything-narrowed encounter-everything', async () => {
  const id = course.patient.split('/')[1];
  const all = await client.operation({ name: 'everything', resourceType: 'Patient', id, method: 'GET' });
  assert.deepEqual([...types(all)].sort(), ['Encounter', 'Observation', 'Patient']);
  assert.equal(all.entry.length, 8);
  const posted = await client.operation({ name: '$everything', resourceType: 'Patient', id });
  assert.equal(posted.entry.length, 8);
  const narrowed = await client.operation({
    name: 'everything', resourceType: 'Patient', id, method: 'GET', input: { _type: 'Observation', _count: '4' },
  });
  assert.equal(narrowed.entry.length, 4);
  const rest = await client.nextPage({ bundle: narrowed });
  assert.equal(rest.entry.length, 2);
  const since = await client.operation({ name: 'everything', resourceType: 'Patient', id, method: 'GET', input: { _since: '2999-01-01T00:00:00Z' } });
  assert.equal(since.entry, undefined);
  const visit = await client.operation({ name: 'everything', resourceType: 'Encounter', id: course.encounter.split('/')[1], method: 'GET' });
  assert.ok(types(visit).has('Encounter') && types(visit).has('Observation'));
});

await ticks.show('document', async () => {
  const composition = await client.create({
    resourceType: 'Composition',
    body: {
      resourceType: 'Composition',
      status: 'final',
      type: { text: 'A note' },
      subject: { reference: course.patient },
      date: '2026-02-05',
      author: [{ reference: course.patient }],
      title: 'A note',
      section: [{ title: 'Nothing', text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Nothing.</div>' } }],
    },
  });
  const document = await client.operation({ name: 'document', resourceType: 'Composition', id: composition.id, method: 'GET' });
  assert.equal(document.type, 'document');
  assert.equal(document.entry[0].resource.resourceType, 'Composition');
  assert.ok(types(document).has('Patient'));
});

await ticks.show('lastn', async () => {
  const newest = await client.operation({
    name: 'lastn', resourceType: 'Observation', method: 'GET',
    input: { patient: course.patient, category: 'survey', max: '2' },
  });
  const doses = newest.entry.filter((entry) => entry.resource.code?.text === 'dose');
  assert.deepEqual(doses.map((entry) => entry.resource.valueQuantity.value), [30, 20]);
});

await ticks.show('validate', async () => {
  const outcome = await client.operation({ name: 'validate', resourceType: 'Patient', input: { ...patient('x'), gender: 'x' } });
  assert.ok(outcome.issue.some((issue) => issue.severity === 'error'));
});

await ticks.show('xml gzip', async () => {
  const xml = await raw(`/${course.patient}`, fhir('xml'));
  assert.match(xml.headers.get('content-type'), /^application\/fhir\+xml/);
  assert.match(await xml.text(), /^<\?xml.*<Patient xmlns="http:\/\/hl7.org\/fhir">.*<family value="Testpatient"/s);
  const made = await raw('/Patient', {
    method: 'POST',
    headers: { 'Content-Type': 'application/fhir+xml', Accept: 'application/fhir+xml' },
    body: `<Patient xmlns="http://hl7.org/fhir"><identifier><system value="${system}"/><value value="by-xml"/></identifier></Patient>`,
  });
  assert.equal(made.status, 201);
  assert.deepEqual((await search('Patient', { identifier: `${system}|by-xml` })).total, 1);
  const packed = await raw(`/Observation?subject=${course.patient}`, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.equal((await packed.json()).total, 6);
  const body = new Blob([JSON.stringify(patient('packed'))]).stream().pipeThrough(new CompressionStream('gzip'));
  const sent = await raw('/Patient', {
    method: 'POST',
    headers: { 'Content-Type': 'application/fhir+json', 'Content-Encoding': 'gzip' },
    body,
    duplex: 'half',
  });
  assert.equal(sent.status, 201);
});

await ticks.show('idempotency-key', async () => {
  const headers = { 'Idempotency-Key': `${system}-1` };
  const [first, again] = [await post('Patient', patient('once'), headers), await post('Patient', patient('once'), headers)];
  assert.equal(first.id, again.id);
  assert.equal(http(again).status, 201);
  assert.equal((await search('Patient', { identifier: `${system}|once` })).total, 1);
  await refused(422, () => post('Patient', patient('another'), headers));
});

ticks.end();
