import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A shell that outlives its controller, as the plugin Durable Task runs one; found again by its folder. */
final class Shell {
    static final String COOKIE = "JENKINS_SERVER_COOKIE";
    /** How long a cancelled process may take: DurableTaskStep.REMOTE_TIMEOUT. */
    private static final long PATIENCE_MS = 20_000;

    private final File control;
    private final String cookie;

    Shell(File control) {
        this.control = control;
        cookie = "durable-" + control.getAbsolutePath();
    }

    boolean started() {
        return new File(control, "script.sh").exists();
    }

    /** Start it: `sh -xe`, its own session, result and output in files. The wrapper itself bears no cookie. */
    void start(File where, String script, Map<String, String> environ, boolean apart) throws IOException {
        Files.createDirectories(control.toPath());
        Files.createDirectories(where.toPath());
        Files.write(control.toPath().resolve("script.sh"), script.getBytes(StandardCharsets.UTF_8));
        String out = apart ? "> \"$c/out\" 2> \"$c/log\"" : "> \"$c/log\" 2>&1";
        String run = script.startsWith("#!") ? "chmod 700 \"$c/script.sh\"; " + COOKIE + "=$j \"$c/script.sh\" " : COOKIE + "=$j sh -xe \"$c/script.sh\" ";
        String wrapper = "c=$0; j=$1; " + run + out + "; echo $? > \"$c/result.tmp\"; mv \"$c/result.tmp\" \"$c/result\"";
        ProcessBuilder made = new ProcessBuilder("setsid", "sh", "-c", wrapper, control.getAbsolutePath(), cookie);
        made.directory(where);
        made.environment().clear();
        made.environment().putAll(environ);
        made.redirectInput(new File("/dev/null"));
        made.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD);
        made.start();
    }

    /** Wait for its exit code; throws Aborted where `abort` comes to be, after the process has had its time. */
    int await(File abort) throws IOException, InterruptedException {
        File result = new File(control, "result");
        long until = Long.MAX_VALUE;
        while (!result.exists() && System.currentTimeMillis() < until) {
            if (until == Long.MAX_VALUE && abort.exists()) {
                terminate();
                until = System.currentTimeMillis() + PATIENCE_MS;
            }
            Thread.sleep(10);
        }
        if (until != Long.MAX_VALUE) {
            throw new Aborted();
        }
        return Integer.parseInt(read("result").trim());
    }

    String read(String name) throws IOException {
        Path file = control.toPath().resolve(name);
        return Files.exists(file) ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8) : "";
    }

    /** SIGTERM, once, to every process with the cookie in its environment: ProcessTree.killAll. */
    private void terminate() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kill", "-TERM"));
        command.addAll(marked());
        if (command.size() > 2) {
            new ProcessBuilder(command).inheritIO().start().waitFor();
        }
    }

    private List<String> marked() throws IOException {
        byte[] mark = (COOKIE + "=" + cookie + "\0").getBytes(StandardCharsets.UTF_8);
        String text = new String(mark, StandardCharsets.ISO_8859_1);
        try (Stream<Path> all = Files.list(Paths.get("/proc"))) {
            return all.map(one -> one.getFileName().toString())
                    .filter(name -> name.chars().allMatch(Character::isDigit) && environ(name).contains(text))
                    .collect(Collectors.toList());
        }
    }

    private static String environ(String pid) {
        try {
            return new String(Files.readAllBytes(Paths.get("/proc", pid, "environ")), StandardCharsets.ISO_8859_1);
        } catch (IOException gone) {
            return "";
        }
    }
}
