import groovy.json.JsonOutput;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What each step of the table does: on files and real shells, with the words and ends that its plugin gives it. */
final class Steps {
    private static final Pattern FAILED_CASE = Pattern.compile("<(failure|error)[ />]");
    private final Build build;
    private final Blocking blocking;
    private final File abort;

    Steps(Build build) {
        this.build = build;
        blocking = new Blocking(build);
        abort = new File(build.folder, "abort");
    }

    Object perform(Request asked) throws Exception {
        trace(asked);
        switch (asked.kind) {
            case OPEN:
                interrupted();
                blocking.open(asked);
                return null;
            case CLOSE:
                blocking.close(asked);
                return null;
            default:
                interrupted();
                return act(asked);
        }
    }

    /** A cancelled build: the step that runs or comes next is told, once. */
    private void interrupted() {
        if (abort.exists() && !build.state.aborted) {
            build.state.aborted = true;
            throw new Aborted();
        }
    }

    private Object act(Request asked) throws Exception {
        switch (asked.step) {
            case "archiveArtifacts":
                return publish(asked, "artifacts", asked.need("artifacts").replace("/**", ""), asked.yes("allowEmptyArchive"));
            case "build":
                return trigger(asked);
            case "checkout":
                return checkout();
            case "deleteDir":
                Disk.delete(build.here("deleteDir"));
                return null;
            case "echo":
                return say(asked.need("message"));
            case "error":
                throw new Failed(asked.need("message"));
            case "junit":
                return junit(asked);
            case "library":
                return ownLibrary(asked);
            case "libraryResource":
                return resource(asked.need("resource"));
            case "publishHTML":
                return html(asked);
            case "pwd":
                return build.here("pwd") + (asked.yes("tmp") ? "@tmp" : "");
            case "sh":
                return sh(asked);
            case "stash":
                return stash(asked);
            case "unstash":
                Disk.run(build.here("unstash"), Map.of(), "tar", "-xf", stashed(asked.need("name")).toString());
                return null;
            case "writeFile":
                File file = Disk.in(build.here("writeFile"), asked.need("file"));
                Files.createDirectories(file.getParentFile().toPath());
                Files.write(file.toPath(), asked.need("text").getBytes("UTF-8"));
                return null;
            default:
                throw new IllegalStateException("the table has a step that does nothing: " + asked.step);
        }
    }

    private Object sh(Request asked) throws Exception {
        Shell shell = new Shell(new File(build.folder, "durable/" + build.state.steps));
        boolean apart = asked.yes("returnStdout");
        if (!shell.started()) {
            shell.start(build.here("sh"), asked.need("script"), environ(), apart);
        }
        int code;
        try {
            code = shell.await(abort);
        } catch (Aborted cancelled) {
            build.state.aborted = true;
            say("Sending interrupt signal to process\n" + shell.read("log") + "script ended: " + shell.read("result"));
            throw cancelled;
        }
        say(shell.read("log"));
        if (asked.yes("returnStatus")) {
            return code;
        }
        if (code != 0) {
            throw new Failed("script returned exit code " + code);
        }
        return apart ? shell.read("out") : null;
    }

    private Map<String, String> environ() {
        Map<String, String> all = new HashMap<>();
        build.map("environ").forEach((name, value) -> all.put(name, value.toString()));
        all.putAll(build.variables());
        return all;
    }

    private Object checkout() throws Exception {
        File here = build.here("checkout");
        Files.createDirectories(here.toPath());
        String remote = String.valueOf(build.job.get("remote"));
        git(here, "init", "--quiet");
        git(here, "fetch", "--quiet", "--no-tags", "--force", remote, "+refs/heads/*:refs/remotes/origin/*", "+refs/pull/*:refs/remotes/pull/*", build.job.get("commit").toString());
        git(here, "config", "remote.origin.url", remote);
        git(here, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*");
        // as the job is configured: a branch that has moved on is checked out as it is now
        String now = build.job.get("pinned") == Boolean.FALSE ? "refs/remotes/origin/" + build.job.get("branch") : build.job.get("commit").toString();
        git(here, "checkout", "--quiet", "--force", "--detach", now);
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("GIT_COMMIT", Disk.run(here, environ(), "git", "rev-parse", "HEAD").trim());
        told.put("GIT_BRANCH", build.job.get("branch"));
        told.put("GIT_URL", remote);
        return told;
    }

    String git(File where, String... args) throws Exception {
        String[] command = new String[args.length + 3];
        command[0] = "git";
        boolean bare = args[0].equals("show") || args[0].equals("archive");
        command[1] = bare ? "--git-dir" : "-C";
        command[2] = bare ? String.valueOf(build.job.get("remote")) : where.toString();
        System.arraycopy(args, 0, command, 3, args.length);
        return Disk.run(where, environ(), command);
    }

    /** A library that the controller knows by name: its repository, at the version asked for. */
    void configured(String name, String version) throws Exception {
        @SuppressWarnings("unchecked")
        Map<String, String> row = (Map<String, String>) build.map("libraries").get(name);
        if (row == null) {
            throw new Failed("No version specified for library " + name + ": it is not configured");
        }
        retrieve(name, row.get("remote"), version, row.get("path"));
    }

    @SuppressWarnings("unchecked")
    private Object ownLibrary(Request asked) throws Exception {
        Map<String, Object> from = (Map<String, Object>) asked.given.get("retriever");
        Map<String, Object> scm = (Map<String, Object>) from.get("scm");
        String name = asked.need("identifier").replaceAll("@.*", "");
        retrieve(name, scm.get("remote").toString(), scm.get("commit").toString(), from.get("libraryPath").toString());
        return null;
    }

    private void retrieve(String name, String remote, String version, String path) throws Exception {
        File into = new File(build.folder, "libraries/" + name);
        Files.createDirectories(into.toPath());
        File packed = new File(into, "library.tar");
        Disk.run(into, environ(), "git", "--git-dir", remote, "archive", "--output=" + packed, version, path);
        Disk.run(into, environ(), "tar", "-xf", packed.toString());
        File root = Disk.in(into, path);
        Disk.refuseLinks(root);
        build.state.libraries.add(root);
    }

    private Object resource(String name) throws IOException {
        for (File folder : build.libraries()) {
            File file = new File(folder, "resources/" + name);
            if (file.exists()) {
                return new String(Files.readAllBytes(file.toPath()), "UTF-8");
            }
        }
        throw new Failed("No such library resource " + name + " could be found.");
    }

    private Object stash(Request asked) throws Exception {
        File here = build.here("stash");
        String[] names = asked.need("includes").replace("/**", "").split(",");
        Map<Boolean, java.util.List<String>> there = java.util.Arrays.stream(names).collect(Collectors.partitioningBy(one -> new File(here, one).exists()));
        if (there.get(true).isEmpty()) {
            throw new Failed("No files included in stash '" + asked.need("name") + "'");
        }
        java.util.List<String> command = new java.util.ArrayList<>(java.util.List.of("tar", "-cf", stashed(asked.need("name")).toString()));
        command.addAll(there.get(true));
        Disk.run(here, Map.of(), command.toArray(new String[0]));
        return null;
    }

    private File stashed(String name) throws IOException {
        File folder = new File(build.folder, "stashes");
        Files.createDirectories(folder.toPath());
        return new File(folder, name + ".tar");
    }

    private Object junit(Request asked) throws Exception {
        File file = Disk.in(build.here("junit"), asked.need("testResults"));
        if (!file.exists()) {
            if (asked.yes("allowEmptyResults")) {
                return say("None of the test reports contained any result");
            }
            throw new Failed("No test report files were found. Configuration error?");
        }
        Matcher bad = FAILED_CASE.matcher(new String(Files.readAllBytes(file.toPath()), "UTF-8"));
        if (bad.find() && build.state.result.equals("SUCCESS")) {
            build.state.result = "UNSTABLE";
        }
        return publish(asked, "junit", asked.need("testResults"), false);
    }

    @SuppressWarnings("unchecked")
    private Object html(Request asked) throws Exception {
        Map<String, Object> target = (Map<String, Object>) asked.given.get("target");
        new Table(new File(build.harness.getParentFile(), "steps.json")).find("publishHTML target").named(new Object[] {target});
        return publish(asked, "html/" + target.get("reportName"), target.get("reportDir").toString(), Boolean.TRUE.equals(target.get("allowMissing")));
    }

    private Object publish(Request asked, String kind, String what, boolean mayLack) throws Exception {
        File from = Disk.in(build.here(asked.step), what);
        if (!from.exists()) {
            if (mayLack) {
                return say(asked.step + ": nothing at " + what);
            }
            throw new Failed(asked.step + ": nothing at " + what);
        }
        File into = new File(build.folder, "published/" + kind + "/" + build.state.steps);
        Files.createDirectories(into.toPath());
        Disk.run(build.folder, Map.of(), "cp", "-a", from.toString(), into.toString());
        build.state.published.add(kind + "/" + build.state.steps + "/" + from.getName());
        return null;
    }

    private Object trigger(Request asked) {
        Map<String, Object> one = new LinkedHashMap<>(asked.given);
        one.put("job", Disk.resolve(build.job.get("name").toString(), asked.need("job")));
        build.state.triggered.add(one);
        return say("Scheduling project: " + one.get("job"));
    }

    /** A line for the console. */
    Object say(String text) {
        try (FileOutputStream out = new FileOutputStream(new File(build.folder, "console.log"), true)) {
            out.write((text.endsWith("\n") ? text : text + "\n").getBytes("UTF-8"));
        } catch (IOException bad) {
            throw new IllegalStateException(bad);
        }
        return null;
    }

    private void trace(Request asked) throws IOException {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("kind", asked.kind.name().toLowerCase());
        row.put("step", asked.step);
        row.put("agent", build.inner("agent"));
        row.put("stage", build.inner("stage"));
        row.put("given", asked.given.entrySet().stream().collect(HashMap::new, (m, e) -> m.put(e.getKey(), String.valueOf(e.getValue())), HashMap::putAll));
        byte[] line = (JsonOutput.toJson(row) + "\n").getBytes("UTF-8");
        Files.write(new File(build.folder, "trace.jsonl").toPath(), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
