import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.CacheControlDirective;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.api.SearchStyleEnum;
import ca.uhn.fhir.rest.api.SearchTotalModeEnum;
import ca.uhn.fhir.rest.api.SummaryEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.client.interceptor.AdditionalRequestHeadersInterceptor;
import ca.uhn.fhir.rest.gclient.DateClientParam;
import ca.uhn.fhir.rest.gclient.ReferenceClientParam;
import ca.uhn.fhir.rest.gclient.StringClientParam;
import ca.uhn.fhir.rest.gclient.TokenClientParam;
import ca.uhn.fhir.rest.param.DateRangeParam;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Bundle.BundleType;
import org.hl7.fhir.r4.model.Bundle.HTTPVerb;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.CodeType;
import org.hl7.fhir.r4.model.Composition;
import org.hl7.fhir.r4.model.DateTimeType;
import org.hl7.fhir.r4.model.DateType;
import org.hl7.fhir.r4.model.Encounter;
import org.hl7.fhir.r4.model.Enumerations.AdministrativeGender;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.InstantType;
import org.hl7.fhir.r4.model.IntegerType;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Observation.ObservationStatus;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Quantity;
import org.hl7.fhir.r4.model.Reference;
import org.hl7.fhir.r4.model.StringType;

/** HAPI's generic client drives every interaction, in JSON and in XML: Hapi BASE-URL */
public final class Hapi {
    private static final FhirContext FHIR = FhirContext.forR4();

    private final String base;
    private final String system;
    private final Ticks ticks;
    private final IGenericClient client;
    private final EncodingEnum encoding;
    private IdType anna;
    private IdType coursePatient;
    private IdType courseEncounter;

    private Hapi(String base, EncodingEnum encoding) {
        this.base = base;
        this.encoding = encoding;
        system = "urn:example:hapi-" + encoding + "-" + System.nanoTime();
        ticks = new Ticks("hapi-" + encoding.name().toLowerCase());
        client = client();
    }

    public static void main(String[] arguments) throws Exception {
        boolean isFaultless = true;
        // It asks for the CapabilityStatement before the first request, as it does where nobody says otherwise.
        FHIR.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
        for (EncodingEnum encoding : List.of(EncodingEnum.JSON, EncodingEnum.XML)) {
            Hapi hapi = new Hapi(arguments[0], encoding);
            hapi.resources();
            hapi.conditions();
            hapi.histories();
            hapi.bundles();
            hapi.searches();
            hapi.operations();
            hapi.headers();
            isFaultless &= hapi.ticks.isFaultless();
        }
        System.exit(isFaultless ? 0 : 1);
    }

    private IGenericClient client(String... headers) {
        IGenericClient made = FHIR.newRestfulGenericClient(base);
        made.setEncoding(encoding);
        AdditionalRequestHeadersInterceptor more = new AdditionalRequestHeadersInterceptor();
        for (int at = 0; at < headers.length; at += 2) {
            more.addHeaderValue(headers[at], headers[at + 1]);
        }
        made.registerInterceptor(more);
        return made;
    }

    private Patient patient(String value) {
        Patient patient = new Patient();
        patient.getMeta().addTag("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST", null);
        patient.addIdentifier().setSystem(system).setValue(value);
        patient.addName().setFamily("Testpatient").addGiven(value);
        return patient;
    }

    private Observation reading(String subject, String code, int value, String at) {
        Observation reading = new Observation();
        reading.setStatus(ObservationStatus.FINAL);
        reading.addCategory().addCoding().setSystem("http://terminology.hl7.org/CodeSystem/observation-category").setCode("survey");
        reading.getCode().setText(code).addCoding().setSystem(system + ":codes").setCode(code);
        reading.setSubject(new Reference(subject));
        reading.setEffective(new DateTimeType(at));
        reading.setValue(new Quantity().setValue(value).setUnit("mg").setSystem("http://unitsofmeasure.org").setCode("mg"));
        return reading;
    }

    private static Patient back(MethodOutcome outcome) {
        return (Patient) outcome.getResource();
    }

    private static List<String> ids(Bundle bundle) {
        return bundle.getEntry().stream().map(entry -> entry.getResource().getIdElement().getIdPart()).toList();
    }

    private static Set<String> types(Bundle bundle) {
        return bundle.getEntry().stream().filter(Bundle.BundleEntryComponent::hasResource).map(entry -> entry.getResource().fhirType()).collect(Collectors.toSet());
    }

    private Bundle ofCourse(String code) {
        return client.search().forResource(Observation.class)
            .where(new ReferenceClientParam("subject").hasId(coursePatient.toUnqualifiedVersionless()))
            .and(new TokenClientParam("code").exactly().systemAndCode(system + ":codes", code))
            .returnBundle(Bundle.class).execute();
    }

    private void resources() {
        ticks.show("capabilities json xml", () -> {
            CapabilityStatement statement = client.capabilities().ofType(CapabilityStatement.class).execute();
            Ticks.equal(statement.getFhirVersion().toCode(), "4.0.1");
            Ticks.holds(statement.getRestFirstRep().getResource().size() > 140);
        });
        ticks.show("create read prefer-representation", () -> {
            Patient made = patient("anna").setGender(AdministrativeGender.FEMALE).setBirthDateElement(new DateType("1980-05-01"));
            MethodOutcome outcome = client.create().resource(made).prefer(PreferReturnEnum.REPRESENTATION).execute();
            Ticks.equal(outcome.getCreated(), true);
            Ticks.equal(outcome.getId().getVersionIdPart(), "1");
            anna = (IdType) outcome.getId().toUnqualifiedVersionless();
            Patient read = client.read().resource(Patient.class).withId(anna).execute();
            Ticks.holds(read.equalsDeep(back(outcome)));
            Ticks.equal(read.getNameFirstRep().getGivenAsSingleString(), "anna");
        });
        ticks.show("update vread if-match conditional-read", () -> {
            Patient patient = client.read().resource(Patient.class).withId(anna).execute();
            patient.setBirthDateElement(new DateType("1980-05-02"));
            // With the version in its id HAPI sends If-Match.
            Ticks.equal(client.update().resource(patient).withId(patient.getIdElement()).execute().getId().getVersionIdPart(), "2");
            Ticks.refused(412, () -> client("If-Match", "W/\"1\"").update().resource(patient).withId(anna).execute());
            Patient first = client.read().resource(Patient.class).withIdAndVersion(anna.getIdPart(), "1").execute();
            Ticks.equal(first.getBirthDateElement().getValueAsString(), "1980-05-01");
            Patient known = new Patient();
            Patient read = client.read().resource(Patient.class).withId(anna).ifVersionMatches("2").returnResource(known).execute();
            Ticks.holds(read == known);
        });
        ticks.show("update-as-create", () -> {
            Patient own = patient("own-id");
            own.setId("hapi-" + System.nanoTime());
            MethodOutcome outcome = client.update().resource(own).execute();
            Ticks.equal(outcome.getCreated(), true);
            Ticks.equal(outcome.getId().getIdPart(), own.getIdElement().getIdPart());
        });
        ticks.show("patch-json patch-fhirpath", () -> {
            String json = "[{\"op\": \"replace\", \"path\": \"/birthDate\", \"value\": \"1980-05-03\"}]";
            MethodOutcome outcome = client.patch().withBody(json).withId(anna).prefer(PreferReturnEnum.REPRESENTATION).execute();
            Ticks.equal(back(outcome).getBirthDateElement().getValueAsString(), "1980-05-03");
            Parameters patch = new Parameters();
            Parameters.ParametersParameterComponent operation = patch.addParameter().setName("operation");
            operation.addPart().setName("type").setValue(new CodeType("replace"));
            operation.addPart().setName("path").setValue(new StringType("Patient.birthDate"));
            operation.addPart().setName("value").setValue(new DateType("1980-05-04"));
            outcome = client.patch().withFhirPatch(patch).withId(anna).prefer(PreferReturnEnum.REPRESENTATION).execute();
            Ticks.equal(back(outcome).getBirthDateElement().getValueAsString(), "1980-05-04");
        });
        ticks.show("delete", () -> {
            IdType gone = (IdType) client.create().resource(patient("gone")).execute().getId().toUnqualifiedVersionless();
            client.delete().resourceById(gone).execute();
            Ticks.refused(410, () -> client.read().resource(Patient.class).withId(gone).execute());
        });
    }

    private void conditions() {
        ticks.show("conditional-create", () -> {
            String criteria = "Patient?identifier=" + system + "|only-one";
            MethodOutcome first = client.create().resource(patient("only-one")).conditionalByUrl(criteria).execute();
            MethodOutcome second = client.create().resource(patient("only-one")).conditional()
                .where(new TokenClientParam("identifier").exactly().systemAndIdentifier(system, "only-one")).execute();
            Ticks.equal(first.getId().getIdPart(), second.getId().getIdPart());
        });
        ticks.show("conditional-update conditional-patch conditional-delete", () -> {
            String criteria = "Patient?identifier=" + system + "|by-search";
            MethodOutcome made = client.update().resource(patient("by-search")).conditionalByUrl(criteria).execute();
            Ticks.equal(made.getCreated(), true);
            Patient other = patient("by-search").setGender(AdministrativeGender.OTHER);
            MethodOutcome changed = client.update().resource(other).conditionalByUrl(criteria).prefer(PreferReturnEnum.REPRESENTATION).execute();
            Ticks.equal(changed.getId().getIdPart(), made.getId().getIdPart());
            Ticks.equal(back(changed).getGender(), AdministrativeGender.OTHER);
            String json = "[{\"op\": \"replace\", \"path\": \"/gender\", \"value\": \"unknown\"}]";
            changed = client.patch().withBody(json).conditionalByUrl(criteria).prefer(PreferReturnEnum.REPRESENTATION).execute();
            Ticks.equal(back(changed).getGender(), AdministrativeGender.UNKNOWN);
            Ticks.refused(412, () -> client.delete().resourceConditionalByUrl("Patient?identifier=" + system + "|").execute());
            client.delete().resourceConditionalByUrl(criteria).execute();
            IdType gone = new IdType("Patient", made.getId().getIdPart());
            Ticks.refused(410, () -> client.read().resource(Patient.class).withId(gone).execute());
        });
        ticks.show("prefer-minimal prefer-outcome", () -> {
            MethodOutcome minimal = client.create().resource(patient("minimal")).prefer(PreferReturnEnum.MINIMAL).execute();
            Ticks.holds(minimal.getId().getIdPart() != null && minimal.getResource() == null);
            MethodOutcome told = client.create().resource(patient("outcome")).prefer(PreferReturnEnum.OPERATION_OUTCOME).execute();
            Ticks.holds(told.getOperationOutcome() instanceof OperationOutcome && told.getId().getIdPart() != null);
        });
    }

    private void histories() {
        ticks.show("history-instance history-type history-system history-count history-since history-at", () -> {
            Bundle own = client.history().onInstance(anna).returnBundle(Bundle.class).execute();
            Ticks.equal(own.getEntry().stream().map(entry -> entry.getResource().getMeta().getVersionId()).toList(), List.of("4", "3", "2", "1"));
            Ticks.equal(own.getEntry().stream().map(entry -> entry.getRequest().getMethod()).toList(),
                List.of(HTTPVerb.PATCH, HTTPVerb.PATCH, HTTPVerb.PUT, HTTPVerb.POST));
            Bundle two = client.history().onInstance(anna).returnBundle(Bundle.class).count(2).execute();
            Ticks.equal(two.getEntry().size(), 2);
            Bundle rest = client.loadPage().next(two).execute();
            Ticks.equal(rest.getEntry().stream().map(entry -> entry.getResource().getMeta().getVersionId()).toList(), List.of("2", "1"));
            Ticks.equal(types(client.history().onType(Patient.class).returnBundle(Bundle.class).count(3).execute()), Set.of("Patient"));
            Ticks.equal(client.history().onServer().returnBundle(Bundle.class).count(3).execute().getEntry().size(), 3);
            InstantType third = own.getEntry().get(1).getResource().getMeta().getLastUpdatedElement();
            Bundle since = client.history().onInstance(anna).returnBundle(Bundle.class).since(third).execute();
            Ticks.equal(since.getEntry().size(), 2);
            Bundle never = client.history().onInstance(anna).returnBundle(Bundle.class).at(new DateRangeParam("2001-01-01", "2002-01-01")).execute();
            Ticks.equal(never.getEntry().size(), 0);
        });
    }

    private void bundles() {
        ticks.show("transaction transaction-conditional-create", () -> {
            String one = "urn:uuid:00000000-0000-4000-8000-00000000000a";
            String two = "urn:uuid:00000000-0000-4000-8000-00000000000b";
            Bundle bundle = new Bundle().setType(BundleType.TRANSACTION);
            bundle.addEntry().setFullUrl(one).setResource(patient("course")).getRequest().setMethod(HTTPVerb.POST).setUrl("Patient")
                .setIfNoneExist("identifier=" + system + "|course");
            Encounter visit = new Encounter().setStatus(Encounter.EncounterStatus.FINISHED).setSubject(new Reference(one));
            visit.getClass_().setSystem("http://terminology.hl7.org/CodeSystem/v3-ActCode").setCode("AMB");
            bundle.addEntry().setFullUrl(two).setResource(visit).getRequest().setMethod(HTTPVerb.POST).setUrl("Encounter");
            for (int at = 1; at <= 5; at++) {
                Observation dose = reading(one, "dose", at * 10, "2026-02-0" + at + "T10:00:00Z").setEncounter(new Reference(two));
                bundle.addEntry().setResource(dose).getRequest().setMethod(HTTPVerb.POST).setUrl("Observation");
            }
            Bundle answer = client.transaction().withBundle(bundle).execute();
            Ticks.equal(answer.getType(), BundleType.TRANSACTIONRESPONSE);
            Ticks.holds(answer.getEntry().stream().allMatch(entry -> entry.getResponse().getStatus().startsWith("201")));
            coursePatient = new IdType(answer.getEntry().get(0).getResponse().getLocation()).toUnqualifiedVersionless();
            courseEncounter = new IdType(answer.getEntry().get(1).getResponse().getLocation()).toUnqualifiedVersionless();
            Observation third = client.read().resource(Observation.class).withUrl(new IdType(answer.getEntry().get(4).getResponse().getLocation()).toUnqualifiedVersionless()).execute();
            Ticks.equal(third.getSubject().getReference(), coursePatient.getValue());
            Ticks.equal(third.getEncounter().getReference(), courseEncounter.getValue());
            Ticks.equal(third.getValueQuantity().getValue().intValue(), 30);
        });
        ticks.show("transaction-conditional-reference transaction-whole-or-nothing transaction-duplicates", () -> {
            Bundle bundle = new Bundle().setType(BundleType.TRANSACTION);
            bundle.addEntry().setResource(reading("Patient?identifier=" + system + "|course", "note", 1, "2026-02-05"))
                .getRequest().setMethod(HTTPVerb.POST).setUrl("Observation");
            IdType made = new IdType(client.transaction().withBundle(bundle).execute().getEntryFirstRep().getResponse().getLocation());
            Ticks.equal(client.read().resource(Observation.class).withId(made.getIdPart()).execute().getSubject().getReference(), coursePatient.getValue());
            bundle.addEntry().setResource(reading("Patient?identifier=" + system + "|nobody", "note", 1, "2026-02-05"))
                .getRequest().setMethod(HTTPVerb.POST).setUrl("Observation");
            Ticks.refused(412, () -> client.transaction().withBundle(bundle).execute());
            Bundle twice = new Bundle().setType(BundleType.TRANSACTION);
            for (int at = 0; at < 2; at++) {
                Patient patient = patient("twice");
                patient.setId("hapi-twice");
                twice.addEntry().setResource(patient).getRequest().setMethod(HTTPVerb.PUT).setUrl("Patient/hapi-twice");
            }
            OperationOutcome told = (OperationOutcome) Ticks.refused(400, () -> client.transaction().withBundle(twice).execute()).getOperationOutcome();
            Ticks.equal(told.getIssueFirstRep().getCode().toCode(), "duplicate");
            Ticks.equal(ofCourse("note").getTotal(), 1);
        });
        ticks.show("batch", () -> {
            Bundle bundle = new Bundle().setType(BundleType.BATCH);
            for (String url : List.of(coursePatient.getValue(), "Patient/nobody", "Observation?subject=" + coursePatient.getValue() + "&code=dose")) {
                bundle.addEntry().getRequest().setMethod(HTTPVerb.GET).setUrl(url);
            }
            Bundle answer = client.transaction().withBundle(bundle).execute();
            Ticks.equal(answer.getEntry().stream().map(entry -> entry.getResponse().getStatus().substring(0, 3)).toList(), List.of("200", "404", "200"));
            Ticks.equal(((Bundle) answer.getEntry().get(2).getResource()).getTotal(), 5);
        });
    }

    private void searches() {
        ticks.show("search-get search-post total", () -> {
            client.create().resource(patient("bob").setGender(AdministrativeGender.MALE).setBirthDateElement(new DateType("1975"))).execute();
            Bundle found = client.search().forResource(Patient.class)
                .where(new TokenClientParam("identifier").exactly().systemAndIdentifier(system, "bob"))
                .and(new StringClientParam("family").matchesExactly().value("Testpatient"))
                .and(new DateClientParam("birthdate").before().day("1976-01-01"))
                .totalMode(SearchTotalModeEnum.ACCURATE).returnBundle(Bundle.class).execute();
            Ticks.equal(found.getTotal(), 1);
            Ticks.equal(found.getEntryFirstRep().getSearch().getMode().toCode(), "match");
            Bundle posted = client.search().forResource(Patient.class)
                .where(new TokenClientParam("identifier").exactly().systemAndIdentifier(system, "bob"))
                .usingStyle(SearchStyleEnum.POST).returnBundle(Bundle.class).execute();
            Ticks.equal(ids(posted), ids(found));
        });
        ticks.show("search-system", () -> {
            Bundle found = client.search().forAllResources().where(new TokenClientParam("_id").exactly().code(coursePatient.getIdPart()))
                .returnBundle(Bundle.class).execute();
            Ticks.equal(ids(found), List.of(coursePatient.getIdPart()));
        });
        ticks.show("search-chain search-include compartment", () -> {
            Bundle chained = client.search().forResource(Observation.class)
                .where(new ReferenceClientParam("subject").hasChainedProperty("Patient", new TokenClientParam("identifier").exactly().systemAndIdentifier(system, "course")))
                .and(new TokenClientParam("code").exactly().code("dose")).include(Observation.INCLUDE_SUBJECT)
                .returnBundle(Bundle.class).execute();
            Ticks.equal(chained.getTotal(), 5);
            Ticks.equal(chained.getEntry().size(), 6);
            Bundle turned = client.search().forResource(Patient.class)
                .where(new TokenClientParam("_has:Observation:subject:code").exactly().systemAndCode(system + ":codes", "note"))
                .revInclude(Observation.INCLUDE_SUBJECT).returnBundle(Bundle.class).execute();
            Ticks.equal(turned.getTotal(), 1);
            Ticks.equal(turned.getEntry().size(), 7);
            Bundle own = client.search().forResource(Patient.class).withIdAndCompartment(coursePatient.getIdPart(), "Observation").returnBundle(Bundle.class).execute();
            Ticks.equal(own.getTotal(), 6);
        });
        ticks.show("paging", () -> {
            Bundle page = client.search().forResource(Observation.class)
                .where(new ReferenceClientParam("subject").hasId(coursePatient))
                .sort().descending("date").count(2).returnBundle(Bundle.class).execute();
            List<String> dates = new ArrayList<>();
            while (page != null) {
                page.getEntry().forEach(entry -> dates.add(((Observation) entry.getResource()).getEffectiveDateTimeType().getValueAsString().substring(0, 10)));
                page = page.getLink("next") == null ? null : client.loadPage().next(page).execute();
            }
            Ticks.equal(dates, List.of("2026-02-05", "2026-02-05", "2026-02-04", "2026-02-03", "2026-02-02", "2026-02-01"));
        });
        ticks.show("strict lenient outcomes", () -> {
            OperationOutcome told = (OperationOutcome) Ticks.refused(400, () -> client.search().byUrl("Patient?nonsense=x").returnBundle(Bundle.class).execute()).getOperationOutcome();
            Ticks.holds(told.getIssueFirstRep().getDetails().getText().contains("nonsense"));
            Bundle lenient = client("Prefer", "handling=lenient").search().byUrl("Patient?nonsense=x&identifier=" + system + "|bob").returnBundle(Bundle.class).execute();
            Ticks.equal(lenient.getTotal(), 1);
            Ticks.holds(!lenient.getLink("self").getUrl().contains("nonsense"));
            Ticks.holds(types(lenient).contains("OperationOutcome"));
            Patient invalid = patient("x");
            invalid.addName().addExtension("not a url", new StringType("x"));
            Ticks.refused(422, () -> client.create().resource(invalid).execute());
            Ticks.refused(404, () -> client.read().resource(Patient.class).withId("nobody").execute());
        });
        ticks.show("summary elements", () -> {
            Bundle count = client.search().forResource(Observation.class).where(new ReferenceClientParam("subject").hasId(coursePatient))
                .summaryMode(SummaryEnum.COUNT).returnBundle(Bundle.class).execute();
            Ticks.equal(count.getTotal(), 6);
            Ticks.equal(count.getEntry().size(), 0);
            Patient part = client.read().resource(Patient.class).withId(coursePatient).elementsSubset("name").execute();
            Ticks.holds(part.hasName() && !part.hasIdentifier());
            Ticks.holds(part.getMeta().getTag(null, "SUBSETTED") != null || part.getMeta().getTag().stream().anyMatch(tag -> "SUBSETTED".equals(tag.getCode())));
            Patient text = client.read().resource(Patient.class).withId(coursePatient).summaryMode(SummaryEnum.TEXT).execute();
            Ticks.holds(!text.hasName());
        });
    }

    private void operations() {
        ticks.show("everything everything-narrowed encounter-everything", () -> {
            // HAPI posts operations where nobody says otherwise.
            Bundle whole = client.operation().onInstance(coursePatient).named("$everything").withNoParameters(Parameters.class).returnResourceType(Bundle.class).execute();
            Ticks.equal(types(whole), Set.of("Patient", "Encounter", "Observation"));
            Ticks.equal(whole.getEntry().size(), 8);
            Bundle narrowed = client.operation().onInstance(coursePatient).named("$everything")
                .withParameter(Parameters.class, "_count", new IntegerType(2)).andParameter("_type", new CodeType("Observation"))
                .andParameter("_since", new InstantType(new Date(0))).useHttpGet().returnResourceType(Bundle.class).execute();
            Ticks.equal(types(narrowed), Set.of("Observation"));
            Ticks.equal(client.loadPage().next(narrowed).execute().getEntry().size(), 2);
            Bundle visit = client.operation().onInstance(courseEncounter).named("everything").withNoParameters(Parameters.class).useHttpGet().returnResourceType(Bundle.class).execute();
            Ticks.holds(types(visit).containsAll(Set.of("Encounter", "Observation")));
        });
        ticks.show("lastn", () -> {
            Parameters asked = new Parameters();
            asked.addParameter("patient", new StringType(coursePatient.getValue()));
            asked.addParameter("code", new StringType(system + ":codes|dose"));
            asked.addParameter("max", new IntegerType(2));
            for (boolean get : List.of(true, false)) {
                var operation = client.operation().onType(Observation.class).named("$lastn").withParameters(asked);
                Bundle newest = (get ? operation.useHttpGet() : operation).returnResourceType(Bundle.class).execute();
                List<Integer> values = newest.getEntry().stream().map(Bundle.BundleEntryComponent::getResource).filter(Observation.class::isInstance)
                    .map(one -> ((Observation) one).getValueQuantity().getValue().intValue()).toList();
                Ticks.equal(values, List.of(50, 40));
            }
        });
        ticks.show("document", () -> {
            Composition note = new Composition().setStatus(Composition.CompositionStatus.FINAL).setTitle("A note").setDateElement(new DateTimeType("2026-02-05"))
                .setSubject(new Reference(coursePatient)).addAuthor(new Reference(coursePatient));
            note.getType().setText("A note");
            IdType id = (IdType) client.create().resource(note).execute().getId().toUnqualifiedVersionless();
            Bundle document = client.operation().onInstance(id).named("$document").withNoParameters(Parameters.class).useHttpGet().returnResourceType(Bundle.class).execute();
            Ticks.equal(document.getType(), BundleType.DOCUMENT);
            Ticks.equal(document.getEntry().stream().map(entry -> entry.getResource().fhirType()).toList(), List.of("Composition", "Patient"));
        });
        ticks.show("validate", () -> {
            OperationOutcome good = (OperationOutcome) client.validate().resource(patient("x")).execute().getOperationOutcome();
            Ticks.holds(good.getIssue().stream().noneMatch(issue -> issue.getSeverity() == OperationOutcome.IssueSeverity.ERROR));
            Observation bad = new Observation();
            bad.getCode().setText("without a status");
            OperationOutcome told = (OperationOutcome) client.validate().resource(bad).execute().getOperationOutcome();
            Ticks.holds(told.getIssue().stream().anyMatch(issue -> issue.getSeverity() == OperationOutcome.IssueSeverity.ERROR));
        });
    }

    private void headers() {
        ticks.show("head gzip pretty", () -> {
            HttpClient http = HttpClient.newHttpClient();
            URI place = URI.create(base + "/" + coursePatient.getValue());
            HttpResponse<String> head = http.send(HttpRequest.newBuilder(place).method("HEAD", HttpRequest.BodyPublishers.noBody()).build(), HttpResponse.BodyHandlers.ofString());
            Ticks.equal(head.statusCode(), 200);
            Ticks.equal(head.headers().firstValue("etag").orElse(null), "W/\"1\"");
            Ticks.equal(head.body(), "");
            HttpResponse<byte[]> packed = http.send(HttpRequest.newBuilder(place).header("Accept-Encoding", "gzip").build(), HttpResponse.BodyHandlers.ofByteArray());
            Ticks.equal(packed.headers().firstValue("content-encoding").orElse(null), "gzip");
            String text = new String(new java.util.zip.GZIPInputStream(new java.io.ByteArrayInputStream(packed.body())).readAllBytes(), "UTF-8");
            Ticks.holds(FHIR.newJsonParser().parseResource(Patient.class, text).getNameFirstRep().getFamily().equals("Testpatient"));
            client.setPrettyPrint(true);
            Ticks.holds(client.read().resource(Patient.class).withId(coursePatient).cacheControl(CacheControlDirective.noCache()).execute().hasName());
            client.setPrettyPrint(false);
        });
        ticks.show("idempotency-key", () -> {
            IGenericClient once = client("Idempotency-Key", system + "-1");
            String first = once.create().resource(patient("once")).execute().getId().getIdPart();
            Ticks.equal(once.create().resource(patient("once")).execute().getId().getIdPart(), first);
            Ticks.refused(422, () -> once.create().resource(patient("another")).execute());
        });
    }
}
