import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Files, paths and short commands of the harness itself. */
final class Disk {
    private Disk() {}

    /** Run to the end; throws Failed with its words where it fails. */
    static String run(File where, Map<String, String> environ, String... command) throws IOException, InterruptedException {
        ProcessBuilder made = new ProcessBuilder(command).directory(where).redirectErrorStream(true);
        made.environment().putAll(environ);
        made.redirectInput(new File("/dev/null"));
        Process child = made.start();
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        child.getInputStream().transferTo(said);
        String text = new String(said.toByteArray(), StandardCharsets.UTF_8);
        if (child.waitFor() != 0) {
            throw new Failed(String.join(" ", command) + ": " + text);
        }
        return text;
    }

    static File in(File folder, String path) {
        return path.startsWith("/") ? new File(path) : new File(folder, path);
    }

    static void delete(File folder) throws IOException {
        if (!folder.exists()) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder.toPath())) {
            for (Path one : all.sorted(Comparator.reverseOrder()).collect(Collectors.toList())) {
                Files.delete(one);
            }
        }
    }

    /** As SCMBasedRetriever does: a link in a library could name any file of the controller. */
    static void refuseLinks(File root) throws IOException {
        try (Stream<Path> all = Files.walk(root.toPath())) {
            List<Path> links = all.filter(Files::isSymbolicLink).collect(Collectors.toList());
            if (!links.isEmpty()) {
                throw new Failed("Rejecting library: symlink found: " + root.toPath().relativize(links.get(0)));
            }
        }
    }

    /** A job's full name from what `build` was given: relative to the folder of the job that asks, or from the top. */
    static String resolve(String asking, String given) {
        Deque<String> at = new ArrayDeque<>();
        if (!given.startsWith("/")) {
            for (String part : asking.split("/")) {
                at.addLast(part);
            }
            at.pollLast();
        }
        for (String part : given.replaceAll("^/", "").split("/")) {
            if (part.equals("..")) {
                at.pollLast();
            } else {
                at.addLast(part);
            }
        }
        return String.join("/", at);
    }
}
