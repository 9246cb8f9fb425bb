import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;

/** Runs checks one after the other, and says of each which interaction it shows: "ok CLIENT INTERACTION". */
final class Ticks {
    interface Check {
        void run() throws Exception;
    }

    private final String client;
    private int faults = 0;

    Ticks(String client) {
        this.client = client;
    }

    /** Some interactions, separated by blanks, that the check shows. */
    void show(String interactions, Check check) {
        try {
            check.run();
            for (String interaction : interactions.split(" ")) {
                System.out.println("ok " + client + " " + interaction);
            }
        } catch (Exception | AssertionError error) {
            faults += 1;
            String place = "";
            for (StackTraceElement element : error.getStackTrace()) {
                if (element.getClassName().startsWith("Hapi")) {
                    place = element.toString();
                    break;
                }
            }
            String told = error instanceof BaseServerResponseException answered ? answered.getResponseBody() : "";
            System.out.println("FAULT " + client + " " + interactions + ": " + error + " at " + place + " " + told);
        }
    }

    boolean isFaultless() {
        return faults == 0;
    }

    static void equal(Object found, Object expected) {
        if (!java.util.Objects.equals(found, expected)) {
            throw new AssertionError(found + " is not " + expected);
        }
    }

    static void holds(boolean what) {
        if (!what) {
            throw new AssertionError("this does not hold");
        }
    }

    /** The error that a call ends with; none is a fault, and so is another status. */
    static BaseServerResponseException refused(int status, Check check) throws Exception {
        try {
            check.run();
        } catch (BaseServerResponseException refusal) {
            equal(refusal.getStatusCode(), status);
            return refusal;
        }
        throw new AssertionError("this should have been refused with " + status);
    }
}
