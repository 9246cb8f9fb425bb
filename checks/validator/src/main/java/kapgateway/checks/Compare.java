package kapgateway.checks;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.StrictErrorHandler;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.hl7.fhir.instance.model.api.IBaseResource;

/**
 * Where X.json stands beside X.xml, the two must say the same.
 *
 * <p>Usage: {@code Compare FILE|FOLDER...}. Exit code 1: a difference was found.
 */
public final class Compare {
    private final FhirContext fhir = FhirContext.forR4();
    private final ObjectMapper json = new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .configure(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES, false);
    private int errors;

    private Compare() {
        fhir.setParserErrorHandler(new StrictErrorHandler());
        // A reference keeps its version and an entry its id, else a comparison would find differences of our making.
        fhir.getParserOptions().setStripVersionsFromReferences(false);
        fhir.getParserOptions().setOverrideResourceIdWithBundleEntryFullUrl(false);
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
        Compare run = new Compare();
        int compared = 0;
        for (String root : args) {
            List<Path> files;
            try (Stream<Path> found = Files.walk(Path.of(root))) {
                files = found.filter(f -> f.toString().endsWith(".json")).sorted().toList();
            }
            for (Path file : files) {
                Path xml = Path.of(file.toString().replaceFirst("\\.json$", ".xml"));
                if (Files.exists(xml)) {
                    run.compare(file, xml);
                    compared++;
                }
            }
        }
        System.out.printf("%d resources compared in JSON and XML, %d differences%n", compared, run.errors);
        System.exit(run.errors == 0 ? 0 : 1);
    }
}
