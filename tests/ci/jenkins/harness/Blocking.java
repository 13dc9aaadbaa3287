import java.io.File;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The steps with a body: what holds while the body runs. */
final class Blocking {
    private final Build build;
    private final Map<String, FileLock> held = new HashMap<>();

    Blocking(Build build) {
        this.build = build;
    }

    void open(Request asked) throws Exception {
        build.state.open.add(context(asked));
    }

    void close(Request asked) throws Exception {
        Map<String, Object> last = build.state.open.remove(build.state.open.size() - 1);
        if (!asked.step.equals(last.get("step"))) {
            throw new IllegalStateException("closes " + asked.step + " where " + last.get("step") + " is open");
        }
        FileLock lock = held.remove(String.valueOf(last.get("lock")));
        if (lock != null) {
            lock.release();
        }
        if (last.containsKey("secret folder")) {
            Disk.delete(new File(last.get("secret folder").toString()));
        }
    }

    private Map<String, Object> context(Request asked) throws Exception {
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("step", asked.step);
        switch (asked.step) {
            case "node":
                return node(asked, made);
            case "dir":
                File folder = Disk.in(build.here("dir"), asked.need("path"));
                Files.createDirectories(folder.toPath());
                made.put("folder", folder.toString());
                return made;
            case "lock":
                return lock(asked.need("resource"), made);
            case "stage":
                made.put("stage", asked.need("name"));
                return made;
            case "withCredentials":
                return credentials(asked, made);
            case "withEnv":
                made.put("environ", pairs((List<?>) asked.given.get("overrides")));
                return made;
            default:
                throw new IllegalStateException("the table has a block that does nothing: " + asked.step);
        }
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> node(Request asked, Map<String, Object> made) throws Exception {
        String label = asked.given.get("label") == null ? "" : asked.need("label");
        for (Object one : (List<Object>) build.job.get("agents")) {
            Map<String, Object> agent = (Map<String, Object>) one;
            List<Object> labels = (List<Object>) agent.get("labels");
            if (label.isEmpty() || labels.contains(label)) {
                File folder = new File(build.folder, "agents/" + agent.get("name") + "/workspace");
                Files.createDirectories(folder.toPath());
                Map<String, String> environ = new LinkedHashMap<>();
                ((Map<String, Object>) agent.getOrDefault("environ", Collections.emptyMap())).forEach((name, value) -> environ.put(name, value.toString()));
                environ.put("NODE_NAME", agent.get("name").toString());
                environ.put("WORKSPACE", folder.toString());
                environ.put("WORKSPACE_TMP", folder + "@tmp");
                made.put("agent", agent.get("name"));
                made.put("folder", folder.toString());
                made.put("environ", environ);
                return made;
            }
        }
        throw new Failed("'Jenkins' doesn't have label '" + label + "'");
    }

    private Map<String, Object> lock(String resource, Map<String, Object> made) throws Exception {
        File file = new File(build.job.get("locks").toString(), Integer.toHexString(resource.hashCode()));
        held.put(resource, new RandomAccessFile(file, "rw").getChannel().lock());
        made.put("lock", resource);
        return made;
    }

    private static Map<String, String> pairs(List<?> overrides) {
        Map<String, String> made = new LinkedHashMap<>();
        for (Object one : overrides) {
            String[] parts = one.toString().split("=", 2);
            made.put(parts[0], parts[1]);
        }
        return made;
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> credentials(Request asked, Map<String, Object> made) throws Exception {
        File secret = new File(build.here("withCredentials") + "@tmp/secretFiles/" + build.state.steps);
        Map<String, String> environ = new LinkedHashMap<>();
        for (Object one : (List<Object>) asked.given.get("bindings")) {
            Map<String, Object> binding = (Map<String, Object>) one;
            Object id = binding.get("credentialsId");
            Map<String, String> found = (Map<String, String>) build.map("credentials").get(String.valueOf(id));
            if (found == null) {
                throw new Failed("Could not find credentials entry with ID '" + id + "'");
            }
            environ.putAll(bound(binding, found, secret));
        }
        made.put("environ", environ);
        made.put("secret folder", secret.toString());
        return made;
    }

    private static Map<String, String> bound(Map<String, Object> binding, Map<String, String> found, File secret) throws Exception {
        Map<String, String> made = new LinkedHashMap<>();
        switch (binding.get("$symbol").toString()) {
            case "string":
                made.put(binding.get("variable").toString(), found.get("secret"));
                return made;
            case "usernamePassword":
                made.put(binding.get("usernameVariable").toString(), found.get("username"));
                made.put(binding.get("passwordVariable").toString(), found.get("password"));
                return made;
            case "file":
                made.put(binding.get("variable").toString(), written(secret, "file", found.get("secret")).toString());
                return made;
            case "gitUsernamePassword":
                made.put("GIT_USERNAME", found.get("username"));
                made.put("GIT_PASSWORD", found.get("password"));
                made.put("GIT_TERMINAL_PROMPT", "false");
                made.put("GIT_ASKPASS", written(secret, "auth.sh", ask(found)).toString());
                return made;
            default:
                throw new Failed("no binding " + binding.get("$symbol"));
        }
    }

    private static String ask(Map<String, String> found) {
        return "#!/bin/sh\ncase \"$1\" in\nUsername*) echo '" + found.get("username") + "';;\nPassword*) echo '" + found.get("password") + "';;\nesac\n";
    }

    private static File written(File folder, String name, String text) throws Exception {
        Files.createDirectories(folder.toPath());
        File file = new File(folder, name);
        Files.write(file.toPath(), text.getBytes("UTF-8"));
        if (!file.setExecutable(true, true)) {
            throw new IllegalStateException("cannot make " + file + " executable");
        }
        return file;
    }
}
