package kapgateway.checks;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.util.VersionUtil;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.utilities.npm.NpmPackage;

/** HAPI's setting of the same engine: R4 as HAPI carries it, and HAPI's own terminology. */
final class Hapi implements Validator {
    private static final Set<String> CONFORMANCE_TYPES = Set.of("StructureDefinition", "ValueSet", "CodeSystem");

    private final FhirContext fhir = FhirContext.forR4();
    private final FhirValidator validator;
    private final ObjectMapper json = new ObjectMapper();

    Hapi(List<Path> packages, List<Path> own) throws IOException {
        UnknownCodeSystemWarningValidationSupport unknownSystems =
                new UnknownCodeSystemWarningValidationSupport(fhir);
        unknownSystems.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);

        ValidationSupportChain chain = new ValidationSupportChain(
                new DefaultProfileValidationSupport(fhir),
                loaded(packages, own),
                new CommonCodeSystemsTerminologyService(fhir),
                new InMemoryTerminologyServerValidationSupport(fhir),
                new SnapshotGeneratingValidationSupport(fhir),
                unknownSystems);

        FhirInstanceValidator module = new FhirInstanceValidator(chain);
        module.setAnyExtensionsAllowed(true);
        module.setErrorForUnknownProfiles(false);
        validator = fhir.newValidator().registerValidatorModule(module);
    }

    @Override
    public String name() {
        return "HAPI " + VersionUtil.getVersion();
    }

    @Override
    public Result validate(byte[] resource, FhirFormat format, List<String> profiles) {
        String text = new String(resource, StandardCharsets.UTF_8);
        String type = "";
        String id = "";
        try {
            JsonNode head = format == FhirFormat.JSON ? json.readTree(text) : json.createObjectNode();
            type = head.path("resourceType").asText();
            id = head.path("id").asText();
        } catch (IOException e) {
            // The validator says so itself.
        }
        ValidationOptions options = new ValidationOptions();
        profiles.forEach(options::addProfile);
        List<Issue> issues = new ArrayList<>();
        try {
            for (SingleValidationMessage message : validator.validateWithResult(text, options).getMessages()) {
                issues.add(new Issue(message.getSeverity().getCode(), message.getLocationString(),
                        message.getMessageId(), message.getMessage()));
            }
        } catch (RuntimeException | StackOverflowError e) {
            issues.add(new Issue("fatal", "(root)", null, "The validator itself failed: " + e));
        }
        return new Result(type, id, issues);
    }

    private IValidationSupport loaded(List<Path> packages, List<Path> own) throws IOException {
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
        for (Path folder : own) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
                    resources.add(parser.parseResource(Files.readString(file)));
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
}
