package kapgateway.checks;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hl7.fhir.convertors.loaders.loaderR5.BaseLoaderR5;
import org.hl7.fhir.convertors.loaders.loaderR5.NullLoaderKnowledgeProviderR5;
import org.hl7.fhir.convertors.loaders.loaderR5.R4ToR5Loader;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.model.Resource;
import org.hl7.fhir.r5.model.ValueSet;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;
import org.hl7.fhir.utilities.FhirPublication;
import org.hl7.fhir.utilities.http.ManagedWebAccess;
import org.hl7.fhir.utilities.npm.FilesystemPackageCacheManager;
import org.hl7.fhir.utilities.npm.NpmPackage;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.validation.ValidationEngine;
import org.hl7.fhir.validation.ValidatorUtils;
import org.hl7.fhir.validation.instance.InstanceValidator;
import org.hl7.fhir.validation.instance.advisor.BasePolicyAdvisorForFullValidation;
import org.hl7.fhir.validation.service.StandAloneValidatorFetcher;
import org.hl7.fhir.validation.service.model.InstanceValidatorParameters;

/**
 * HL7's own validator, set up as its command line does ({@code -version 4.0.1 -tx n/a}), but from package files that
 * lie here: network access is forbidden to it.
 *
 * <p>What a terminology server would say is added where it can be known without one, and is a warning where not:
 * UCUM codes are parsed by HL7's UCUM library. That a code is not in a value set is no error when the validator could
 * not look: a part of the value set lies in no package (VSAC), or a whole system (media types, BCP 13) is the server's.
 */
final class Hl7 implements Validator {
    private static final String FHIR = "4.0.1";
    /** Said where the validator would have had to ask a server about a whole system, and what it concludes there. */
    private static final String UNKNOWN_SYSTEM = "Unable_to_resolve_system__value_set_has_include_with_unknown_system";
    private static final Set<String> CONCLUDED =
            Set.of(UNKNOWN_SYSTEM, "UNABLE_TO_INFER_CODESYSTEM", "Terminology_TX_NoValid_16");
    /** Said in a verdict on a value set of which a part was missing. */
    private static final Pattern PART_MISSING = Pattern.compile(
            "A definition for the value Set '.*' could not be found|because \"this\\.valueset\" is null");
    private static final Pattern UNIT = Pattern.compile(
            "Unable to validate code '(.*)' in system 'http://unitsofmeasure.org'.*", Pattern.DOTALL);

    private final ValidationEngine engine;

    /**
     * @param home where the validator keeps its package cache
     * @param packages NPM packages of FHIR (.tgz); hl7.fhir.r4.core and hl7.fhir.xver-extensions must be among them
     * @param own folders of further conformance resources (.json)
     * @param exampleUrls whether URLs of example.org may stand ({@code -allow-example-urls true})
     * @param anyExtensions whether extensions without a definition may stand ({@code -extension any})
     */
    Hl7(Path home, List<Path> packages, List<Path> own, boolean exampleUrls, boolean anyExtensions) throws IOException {
        // The validator looks for its package cache and its settings below the home folder, and nowhere else.
        Files.createDirectories(home);
        System.setProperty("user.home", home.toAbsolutePath().toString());
        ManagedWebAccess.setAccessPolicy(ManagedWebAccess.WebAccessPolicy.PROHIBITED);

        FilesystemPackageCacheManager cache =
                new FilesystemPackageCacheManager.Builder().withPackageServers(List.of()).build();
        List<NpmPackage> loaded = new ArrayList<>();
        for (Path file : packages) {
            loaded.add(installed(cache, file));
        }
        InstanceValidatorParameters parameters = new InstanceValidatorParameters();
        parameters.setAllowExampleUrls(exampleUrls);
        if (anyExtensions) {
            parameters.addExtension("any");
        }
        try {
            engine = new ValidationEngine.ValidationEngineBuilder()
                    .withVersion(FHIR)
                    .withDefaultInstanceValidatorParameters(parameters)
                    .withNoTerminologyServer()
                    .withCanRunWithoutTerminologyServer(true)
                    .fromSource("hl7.fhir.r4.core#" + FHIR);
            engine.setPcm(cache);
            engine.setTerminologyServer(null, null, FhirPublication.R4, true);
        } catch (java.net.URISyntaxException e) {
            throw new IOException(e);
        }
        // Without the packages that they name as dependencies: what is missing is reported where it matters.
        for (NpmPackage npm : loaded) {
            if (!npm.name().equals("hl7.fhir.r4.core") && !npm.name().equals("hl7.fhir.xver-extensions")) {
                engine.getContext().loadFromPackage(npm, loader(npm));
            }
        }
        for (NpmPackage npm : loaded) {
            if (npm.name().startsWith("hl7.fhir.us.")) {
                leaveOutIncomplete(npm);
            }
        }
        StandAloneValidatorFetcher fetcher =
                new StandAloneValidatorFetcher(engine.getPcm(), engine.getContext(), engine);
        engine.setFetcher(fetcher);
        engine.getContext().setLocator(fetcher);
        engine.setPolicyAdvisor(fetcher);
        fetcher.setReferencePolicy(ReferenceValidationPolicy.IGNORE);
        engine.getPolicyAdvisor().setPolicyAdvisor(
                new BasePolicyAdvisorForFullValidation(ReferenceValidationPolicy.IGNORE, engine.getCheckReferencesTo()));
        for (Path folder : own) {
            load(folder);
        }
        engine.prepare(); // generates the snapshots that are missing
    }

    private static BaseLoaderR5 loader(NpmPackage npm) {
        return npm.name().startsWith("hl7.terminology")
                ? new R4ToR5Loader(Set.of("CodeSystem", "ValueSet", "ConceptMap"), new NullLoaderKnowledgeProviderR5(), FHIR)
                : ValidatorUtils.loaderForVersion(FHIR);
    }

    /**
     * Value sets of US Core build on others that are not in its package (VSAC, which wants a licence). The engine would
     * take such a set for empty, refuse every code, and then refuse all that refers to the resource as well. A set that
     * it does not have at all it reports as a warning, at every place where it could not look.
     */
    private void leaveOutIncomplete(NpmPackage npm) throws IOException {
        List<String> names = new ArrayList<>(npm.getFolders().get("package").getTypes().getOrDefault("ValueSet", List.of()));
        boolean changed = true;
        while (changed) {
            changed = false;
            for (String name : List.copyOf(names)) {
                ValueSet set = (ValueSet) engine.loadResource(npm.load("package", name).readAllBytes(), name);
                boolean missing = set.getCompose().getInclude().stream()
                        .flatMap(include -> include.getValueSet().stream())
                        .anyMatch(url -> engine.getContext().fetchResource(ValueSet.class, url.getValue()) == null);
                if (missing) {
                    engine.getContext().dropResource("ValueSet", set.getIdBase());
                    names.remove(name);
                    changed = true;
                }
            }
        }
    }

    private static NpmPackage installed(FilesystemPackageCacheManager cache, Path file) throws IOException {
        NpmPackage npm;
        try (InputStream in = Files.newInputStream(file)) {
            npm = NpmPackage.fromPackage(in);
        }
        NpmPackage known = cache.loadPackageFromCacheOnly(npm.name(), npm.version());
        if (known != null) {
            return known;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return cache.addPackageToCache(npm.name(), npm.version(), in, file.toString());
        }
    }

    private void load(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
                Resource resource = engine.loadResource(Files.readAllBytes(file), file.toString());
                engine.getContext().cacheResource(resource);
            }
        }
    }

    @Override
    public String name() {
        // The jar's name ends with the version: nothing else in it says so.
        String jar = InstanceValidator.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        return "HL7 " + jar.replaceFirst(".*org\\.hl7\\.fhir\\.validation-(.*)\\.jar", "$1");
    }

    @Override
    public Result validate(byte[] resource, FhirFormat format, List<String> profiles) {
        List<ValidationMessage> messages = new ArrayList<>();
        Element element = null;
        try {
            InstanceValidator validator = engine.getValidator(format);
            element = validator.validate(
                    null, messages, new ByteArrayInputStream(resource), format, engine.asSdList(profiles));
        } catch (Exception | StackOverflowError e) {
            messages.add(new ValidationMessage(ValidationMessage.Source.InstanceValidator,
                    ValidationMessage.IssueType.EXCEPTION, "(root)", "The validator itself failed: " + e,
                    ValidationMessage.IssueSeverity.FATAL));
        }
        Set<String> uncheckable = messages.stream()
                .filter(m -> UNKNOWN_SYSTEM.equals(m.getMessageId()))
                .map(ValidationMessage::getLocation)
                .collect(Collectors.toSet());
        Set<Issue> issues = new LinkedHashSet<>();
        for (ValidationMessage message : messages) {
            String severity = message.getLevel().toCode();
            String id = String.valueOf(message.getMessageId());
            String text = message.getMessage();
            String location = message.getLocation();
            Matcher unit = UNIT.matcher(text);
            if (unit.matches()) {
                String fault = engine.getContext().getUcumService().validate(unit.group(1));
                if (fault != null) {
                    issues.add(new Issue("error", location, "UCUM",
                            "Unknown UCUM code '" + unit.group(1) + "': " + fault));
                }
                continue;
            }
            boolean unknown = uncheckable.contains(location) && CONCLUDED.contains(id)
                    || id.startsWith("Terminology_TX_NoValid") && PART_MISSING.matcher(text).find();
            issues.add(new Issue(severity.equals("error") && unknown ? "warning" : severity, location, id, text));
        }
        return new Result(element == null ? "" : element.fhirType(),
                element == null ? "" : String.valueOf(element.getIdBase()), List.copyOf(issues));
    }
}
