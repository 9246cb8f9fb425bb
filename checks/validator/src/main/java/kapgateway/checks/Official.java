package kapgateway.checks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;

/**
 * Validates many resources with HL7's own validator (or with HAPI's setting of it) in one process, and writes one line
 * of JSON for each.
 *
 * <pre>
 * Official (--home FOLDER [--example-urls] [--any-extensions] | --hapi)
 *          [--package FILE.tgz]... [--load FOLDER]... [--profile URL]... [--time N] WHAT...
 * </pre>
 *
 * WHAT is a file (.json, .xml, .ndjson, .ndjson.gz, .tgz) or a folder of such; of a .tgz the JSON files are taken whose
 * path begins with what follows a `!` (FILE.tgz!package/example/). Each line says: {@code validator}, {@code file} (with
 * the line's number behind `:` for .ndjson), {@code resourceType}, {@code id}, {@code ms}, {@code issues} (severity,
 * location, messageId, message). With --time each is validated N times after as many for warming up, and {@code ms} is the median.
 * Exit code 2: the call was wrong, or there was nothing to validate. Errors found in resources are no failure here.
 */
public final class Official {
    private final Validator engine;
    private final List<String> profiles;
    private final int times;
    private final PrintStream out;
    private final ObjectMapper json = new ObjectMapper();
    private int count;

    private Official(Validator engine, List<String> profiles, int times, PrintStream out) {
        this.engine = engine;
        this.profiles = profiles;
        this.times = times;
        this.out = out;
    }

    private void each(String name, byte[] content) throws IOException {
        FhirFormat format = name.endsWith(".xml") ? FhirFormat.XML : FhirFormat.JSON;
        long start = System.nanoTime();
        Validator.Result result = engine.validate(content, format, profiles);
        double ms = (System.nanoTime() - start) / 1e6;
        if (times > 0) {
            for (int i = 1; i < times; i++) {
                engine.validate(content, format, profiles);
            }
            double[] taken = new double[times];
            for (int i = 0; i < times; i++) {
                start = System.nanoTime();
                engine.validate(content, format, profiles);
                taken[i] = (System.nanoTime() - start) / 1e6;
            }
            Arrays.sort(taken);
            ms = taken[times / 2];
        }
        count++;
        ObjectNode line = json.createObjectNode().put("validator", engine.name()).put("file", name)
                .put("resourceType", result.type()).put("id", result.id()).put("ms", Math.round(ms * 100) / 100.0);
        ArrayNode issues = line.putArray("issues");
        for (Validator.Issue issue : result.issues()) {
            issues.addObject()
                    .put("severity", issue.severity())
                    .put("location", issue.location())
                    .put("messageId", issue.messageId())
                    .put("message", issue.message());
        }
        out.println(json.writeValueAsString(line));
    }

    private void all(String what) throws IOException {
        String inside = what.contains("!") ? what.substring(what.indexOf('!') + 1) : "";
        Path root = Path.of(what.contains("!") ? what.substring(0, what.indexOf('!')) : what);
        List<Path> files;
        try (Stream<Path> found = Files.walk(root)) {
            files = found.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            String name = file.toString();
            if (name.endsWith(".json") || name.endsWith(".xml")) {
                each(name, Files.readAllBytes(file));
            } else if (name.endsWith(".ndjson") || name.endsWith(".ndjson.gz")) {
                lines(file);
            } else if (name.endsWith(".tgz")) {
                archive(file, inside);
            }
        }
    }

    private void lines(Path file) throws IOException {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                file.toString().endsWith(".gz") ? new GZIPInputStream(Files.newInputStream(file))
                        : Files.newInputStream(file), StandardCharsets.UTF_8))) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (!line.isBlank()) {
                    each(file + ":" + number, line.getBytes(StandardCharsets.UTF_8));
                }
            }
        }
    }

    private void archive(Path file, String inside) throws IOException {
        try (TarArchiveInputStream tar =
                new TarArchiveInputStream(new GZIPInputStream(Files.newInputStream(file)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                String name = entry.getName();
                if (entry.isFile() && name.startsWith(inside) && name.endsWith(".json")
                        && !name.substring(name.lastIndexOf('/') + 1).startsWith(".")) {
                    each(name, tar.readAllBytes());
                }
            }
        }
    }

    public static void main(String[] args) throws IOException {
        // The validator's log would stand among the lines of JSON.
        PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), false,
                StandardCharsets.UTF_8);
        System.setOut(System.err);
        Path home = null;
        List<Path> packages = new ArrayList<>();
        List<Path> own = new ArrayList<>();
        List<String> profiles = new ArrayList<>();
        List<String> what = new ArrayList<>();
        int times = 0;
        boolean exampleUrls = false;
        boolean anyExtensions = false;
        boolean hapi = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--home" -> home = Path.of(args[++i]);
                case "--package" -> packages.add(Path.of(args[++i]));
                case "--load" -> own.add(Path.of(args[++i]));
                case "--profile" -> profiles.add(args[++i]);
                case "--example-urls" -> exampleUrls = true;
                case "--any-extensions" -> anyExtensions = true;
                case "--hapi" -> hapi = true;
                case "--time" -> times = Integer.parseInt(args[++i]);
                default -> what.add(args[i]);
            }
        }
        if (home == null && !hapi || what.isEmpty()) {
            System.err.println("Usage: Official (--home FOLDER [--example-urls] [--any-extensions] | --hapi) "
                    + "[--package FILE.tgz]... [--load FOLDER]... [--profile URL]... [--time N] WHAT...");
            System.exit(2);
        }
        long start = System.nanoTime();
        Validator engine = hapi ? new Hapi(packages, own)
                : new Hl7(home, packages, own, exampleUrls, anyExtensions);
        Official run = new Official(engine, profiles, times, out);
        System.err.printf("ready after %d s%n", (System.nanoTime() - start) / 1_000_000_000L);
        for (String one : what) {
            run.all(one);
        }
        out.flush();
        System.err.printf("%d resources validated, %d s%n", run.count, (System.nanoTime() - start) / 1_000_000_000L);
        System.exit(run.count == 0 ? 2 : 0);
    }
}
