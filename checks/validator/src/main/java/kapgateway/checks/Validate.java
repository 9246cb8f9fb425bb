package kapgateway.checks;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.ValueSet;
import org.hl7.fhir.utilities.npm.NpmPackage;

/**
 * Validates resources with the official engine, and compares the XML of a resource with its JSON.
 *
 * <p>Usage: {@code Validate [--package FILE.tgz]... FILE|FOLDER...}. Errors are printed one by one, warnings as a
 * summary by kind. Exit code 1: an error was found; 2: the call was wrong, or there was nothing to validate.
 */
public final class Validate {
    private static final Set<String> CONFORMANCE_TYPES = Set.of("StructureDefinition", "ValueSet", "CodeSystem");

    private final FhirContext fhir = FhirContext.forR4();
    private final FhirValidator validator;
    private final ObjectMapper json = new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));
    /** Kind of warning to how often, with one example. */
    private final Map<String, Warning> warnings = new TreeMap<>();
    private int errors;

    private record Warning(int count, String example) {}

    private Validate(List<Path> packages) throws IOException {
        fhir.setParserErrorHandler(new StrictErrorHandler());
        // A reference keeps its version and an entry its id, else a comparison would find differences of our making.
        fhir.getParserOptions().setStripVersionsFromReferences(false);
        fhir.getParserOptions().setOverrideResourceIdWithBundleEntryFullUrl(false);

        UnknownCodeSystemWarningValidationSupport unknownSystems =
                new UnknownCodeSystemWarningValidationSupport(fhir);
        unknownSystems.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);

        ValidationSupportChain chain = new ValidationSupportChain(
                new DefaultProfileValidationSupport(fhir),
                loaded(packages),
                new CommonCodeSystemsTerminologyService(fhir),
                new InMemoryTerminologyServerValidationSupport(fhir),
                new SnapshotGeneratingValidationSupport(fhir),
                unknownSystems);

        FhirInstanceValidator module = new FhirInstanceValidator(chain);
        module.setAnyExtensionsAllowed(true);
        module.setErrorForUnknownProfiles(false);
        validator = fhir.newValidator().registerValidatorModule(module);
    }

    private IValidationSupport loaded(List<Path> packages) throws IOException {
        List<IBaseResource> resources = new ArrayList<>();
        IParser parser = fhir.newJsonParser();
        for (Path file : packages) {
            try (InputStream in = Files.newInputStream(file)) {
                NpmPackage.NpmPackageFolder folder = NpmPackage.fromPackage(in).getFolders().get("package");
                for (List<String> names : folder.getTypes().values()) {
                    for (String name : names) {
                        String type = name.substring(0, Math.max(0, name.indexOf('-')));
                        if (CONFORMANCE_TYPES.contains(type)) {
                            resources.add(parser.parseResource(
                                    new String(folder.fetchFile(name), StandardCharsets.UTF_8)));
                        }
                    }
                }
            }
        }
        leaveOutIncomplete(resources);
        PrePopulatedValidationSupport support = new PrePopulatedValidationSupport(fhir);
        resources.forEach(support::addResource);
        return support;
    }

    /**
     * Value sets of US Core build on others that are not in its package (they want a licence). The engine would take
     * such a set for empty and refuse every code; a set that it does not have at all it reports as a warning.
     */
    private void leaveOutIncomplete(List<IBaseResource> resources) {
        IValidationSupport base = new DefaultProfileValidationSupport(fhir);
        while (true) {
            Set<String> known = new HashSet<>();
            resources.forEach(resource -> {
                if (resource instanceof ValueSet set) {
                    known.add(set.getUrl());
                }
            });
            boolean changed = resources.removeIf(resource -> resource instanceof ValueSet set
                    && set.getCompose().getInclude().stream()
                            .flatMap(include -> include.getValueSet().stream())
                            .map(url -> url.getValue().split("\\|")[0])
                            .anyMatch(url -> !known.contains(url) && base.fetchValueSet(url) == null));
            if (!changed) {
                return;
            }
        }
    }

    private void validate(Path file) throws IOException {
        for (SingleValidationMessage message :
                validator.validateWithResult(Files.readString(file)).getMessages()) {
            String where = file + ": " + message.getLocationString();
            switch (message.getSeverity()) {
                case FATAL, ERROR -> error(where, message.getMessage());
                case WARNING -> {
                    String kind = message.getMessageId() == null ? "(no kind)" : message.getMessageId();
                    warnings.merge(kind, new Warning(1, where + ": " + message.getMessage()),
                            (old, one) -> new Warning(old.count + 1, old.example));
                }
                case INFORMATION -> { }
            }
        }
    }

    private void error(String where, String text) {
        errors++;
        System.out.println("error  " + where + ": " + text.replace('\n', ' '));
    }

    /** Both were written from one resource: read from XML and written as JSON it must be the JSON that we wrote. */
    private void compare(Path jsonFile, Path xmlFile) throws IOException {
        IBaseResource fromXml;
        try {
            fromXml = fhir.newXmlParser().parseResource(Files.readString(xmlFile));
        } catch (RuntimeException e) {
            error(xmlFile.toString(), "cannot be read: " + e.getMessage());
            return;
        }
        JsonNode expected = json.readTree(Files.readString(jsonFile));
        JsonNode actual = json.readTree(fhir.newJsonParser().encodeResourceToString(fromXml));
        compare(xmlFile + " against JSON: " + expected.path("resourceType").asText(), expected, actual);
    }

    private void compare(String where, JsonNode expected, JsonNode actual) {
        if (expected.isObject() && actual.isObject()) {
            Set<String> names = new HashSet<>();
            expected.fieldNames().forEachRemaining(names::add);
            actual.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                compare(where + "." + name, expected.path(name), actual.path(name));
            }
        } else if (expected.isArray() && actual.isArray()) {
            for (int i = 0; i < Math.max(expected.size(), actual.size()); i++) {
                compare(where + "[" + i + "]", expected.path(i), actual.path(i));
            }
        } else if (!same(expected, actual)) {
            error(where, "JSON has " + shown(expected) + ", XML has " + shown(actual));
        }
    }

    /** Decimals are the same only with the same number of places: 0.50 is not 0.5. */
    private static boolean same(JsonNode expected, JsonNode actual) {
        return expected.isNumber() && actual.isNumber()
                ? expected.decimalValue().equals(actual.decimalValue())
                : expected.equals(actual);
    }

    private static String shown(JsonNode node) {
        return node.isMissingNode() ? "nothing" : node.isNumber() ? node.decimalValue().toString() : node.toString();
    }

    public static void main(String[] args) throws IOException {
        long start = System.nanoTime();
        List<Path> packages = new ArrayList<>();
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals("--package") && i + 1 < args.length) {
                packages.add(Path.of(args[++i]));
            } else {
                try (Stream<Path> found = Files.walk(Path.of(args[i]))) {
                    found.filter(Files::isRegularFile)
                            .filter(f -> f.toString().endsWith(".json") || f.toString().endsWith(".xml"))
                            .sorted()
                            .forEach(files::add);
                }
            }
        }
        if (files.isEmpty()) {
            System.err.println("Usage: Validate [--package FILE.tgz]... FILE|FOLDER... (found no .json or .xml)");
            System.exit(2);
        }

        Validate run = new Validate(packages);
        int compared = 0;
        for (Path file : files) {
            run.validate(file);
            if (file.toString().endsWith(".json")) {
                Path xml = Path.of(file.toString().replaceFirst("\\.json$", ".xml"));
                if (Files.exists(xml)) {
                    run.compare(file, xml);
                    compared++;
                }
            }
        }
        run.warnings.forEach((kind, warning) ->
                System.out.printf("warning %dx %s, for example %s%n", warning.count, kind,
                        warning.example.replace('\n', ' ')));
        long usedMb = (Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) >> 20;
        System.out.printf("%d files validated, %d compared in XML and JSON, %d errors, %d kinds of warning, %d s, %d MB%n",
                files.size(), compared, run.errors, run.warnings.size(), (System.nanoTime() - start) / 1_000_000_000L,
                usedMb);
        System.exit(run.errors == 0 ? 0 : 1);
    }
}
