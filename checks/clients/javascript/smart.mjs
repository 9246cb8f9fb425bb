// fhirclient (SMART's) does what an app does: node smart.mjs BASE-URL
import assert from 'node:assert/strict';
import FHIR from 'fhirclient';
import { Ticks, refused } from './ticks.mjs';

const [baseUrl] = process.argv.slice(2);
const client = new FHIR.FhirClient(baseUrl);
const ticks = new Ticks('fhirclient.js');
const system = `urn:example:smart-${process.pid}-${Date.now()}`;
const patient = (value) => ({ resourceType: 'Patient', identifier: [{ system, value }], name: [{ family: 'Testpatient' }] });

await ticks.show('capabilities', async () => {
  assert.equal(await client.getFhirVersion(), '4.0.1');
  assert.equal(await client.getFhirRelease(), 4);
});

const made = await ticks.show('create', async () => {
  const created = await client.create(patient('a'));
  assert.equal(created.meta.versionId, '1');
  return created;
});

await ticks.show('read update patch-json', async () => {
  assert.deepEqual(await client.fhirRequest(`Patient/${made.id}`), made);
  const changed = await client.update({ ...made, gender: 'female' });
  assert.equal(changed.meta.versionId, '2');
  const patched = await client.patch(`Patient/${made.id}`, [{ op: 'replace', path: '/gender', value: 'male' }]);
  assert.equal(patched.gender, 'male');
});

await ticks.show('paging search-include', async () => {
  for (const value of [1, 2, 3, 4, 5]) {
    await client.create({
      resourceType: 'Observation', status: 'final', code: { text: 'Score' },
      subject: { reference: `Patient/${made.id}` }, valueInteger: value,
    });
  }
  const values = [];
  for await (const one of client.resources(`Observation?subject=Patient/${made.id}&_count=2`)) values.push(one.valueInteger);
  assert.deepEqual(values.sort(), [1, 2, 3, 4, 5]);
  const bundle = await client.fhirRequest(`Observation?subject=Patient/${made.id}&_count=2`);
  await client.resolveReferences(bundle, ['subject']);
  assert.equal(bundle.entry[0].resource.subject.name[0].family, 'Testpatient');
});

await ticks.show('delete outcomes', async () => {
  const other = await client.create(patient('b'));
  await client.delete(`Patient/${other.id}`);
  await refused(410, () => client.fhirRequest(`Patient/${other.id}`));
});

ticks.end();
