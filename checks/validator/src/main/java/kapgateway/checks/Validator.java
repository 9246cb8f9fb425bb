package kapgateway.checks;

import java.util.List;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;

/** One that says what is wrong with a resource. */
interface Validator {
    /** What was found in one resource: its type and id, as far as they could be read, and the issues. */
    record Result(String type, String id, List<Issue> issues) {}

    /** The severity in FHIR's code, the place as a FHIRPath, the validator's name for the kind of message. */
    record Issue(String severity, String location, String messageId, String message) {}

    /** Which validator, with its version. */
    String name();

    /** @param profiles canonical URLs of profiles to which the resource is held beside those that it claims */
    Result validate(byte[] resource, FhirFormat format, List<String> profiles);
}
