import com.cloudbees.groovy.cps.Outcome;
import groovy.json.JsonOutput;
import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Plays builds: `start|resume FOLDER HARNESS`, or `serve HARNESS` with folders, or `inspect FILE`, on stdin. At each step the program is put into a file and read back. */
public final class Main {
    private static final Pattern LIBRARY = Pattern.compile("(?m)^\\s*@Library\\(['\"]([^'\"@]+)@([^'\"]+)['\"]\\)");
    private static final String INSPECT = "inspect ";
    private final Build build;
    private final Table table;
    private final Steps steps;
    private final File kept;

    private Main(File folder, File harness) {
        build = new Build(folder, harness);
        table = new Table(new File(harness.getParentFile(), "steps.json"));
        steps = new Steps(build);
        kept = new File(folder, "program.dat");
    }

    public static void main(String[] args) throws Exception {
        File harness = new File(args[args.length - 1]).getAbsoluteFile();
        if (!args[0].equals("serve")) {
            one(args[0], new File(args[1]), harness);
            return;
        }
        BufferedReader asked = new BufferedReader(new InputStreamReader(System.in));
        for (String folder = asked.readLine(); folder != null; folder = asked.readLine()) {
            String ended = "ended";
            try {
                if (folder.startsWith(INSPECT)) {
                    ended = Inspect.told(new File(folder.substring(INSPECT.length())));
                } else {
                    one("start", new File(folder), harness);
                }
            } catch (Exception | LinkageError bad) {
                ended = trace(bad).replace('\n', '\t');
            }
            System.out.println(ended);
        }
    }

    private static void one(String how, File folder, File harness) throws Exception {
        Main main = new Main(folder.getAbsoluteFile(), harness);
        try {
            main.play(how.equals("resume"));
        } catch (Failed bad) {
            main.end(bad);
        }
    }

    private void play(boolean resumed) throws Exception {
        Outcome with = resumed ? answer() : first();
        while (!Program.current.ended()) {
            if (with.isFailure()) {
                throw with.getAbnormal() instanceof Exception ? (Exception) with.getAbnormal() : new Exception(with.getAbnormal());
            }
            keep((Request) with.getNormal());
            with = answer();
        }
        end(with.getAbnormal());
    }

    private Outcome first() throws Exception {
        String text = steps.git(build.folder, "show", build.job.get("commit") + ":Jenkinsfile");
        Files.write(build.jenkinsfile().toPath(), text.getBytes("UTF-8"));
        Matcher asked = LIBRARY.matcher(text);
        while (asked.find()) {
            steps.configured(asked.group(1), asked.group(2));
        }
        return Program.start(table, build).run(new Outcome(null, null));
    }

    /** Carry out the step that the file holds, and give its end to the program that the file holds. */
    private Outcome answer() throws Exception {
        Request asked;
        byte[] bytes;
        try (ObjectInputStream in = new ObjectInputStream(new FileInputStream(kept))) {
            build.state = (Build.State) in.readObject();
            asked = (Request) in.readObject();
            bytes = (byte[]) in.readObject();
        }
        Outcome done;
        try {
            done = new Outcome(steps.perform(asked), null);
        } catch (Failed | Aborted bad) {
            done = new Outcome(null, bad);
        }
        return Program.resume(table, build, bytes).run(done);
    }

    private void keep(Request asked) throws IOException {
        build.state.steps++;
        File next = new File(build.folder, "program.tmp");
        try (ObjectOutputStream out = new ObjectOutputStream(new FileOutputStream(next))) {
            out.writeObject(build.state);
            out.writeObject(asked);
            out.writeObject(Program.current.bytes());
        }
        Files.move(next.toPath(), kept.toPath(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void end(Throwable bad) throws IOException {
        Build.State state = build.state;
        if (bad instanceof Aborted) {
            state.result = "ABORTED";
        } else if (bad != null) {
            state.result = "FAILURE";
            state.error = String.valueOf(bad.getMessage());
            steps.say("ERROR: " + (bad instanceof Failed ? bad.getMessage() : trace(bad)));
        }
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("result", state.result);
        told.put("error", state.error);
        told.put("steps", state.steps);
        told.put("triggered", state.triggered);
        told.put("published", state.published);
        steps.say("Finished: " + state.result);
        Files.write(new File(build.folder, "build.json").toPath(), JsonOutput.toJson(told).getBytes("UTF-8"));
    }

    private static String trace(Throwable bad) {
        StringWriter into = new StringWriter();
        bad.printStackTrace(new PrintWriter(into));
        return into.toString();
    }
}
