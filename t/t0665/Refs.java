import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.util.Collections;
import java.util.List;

import org.eclipse.jgit.internal.storage.file.FileReftableDatabase;
import org.eclipse.jgit.internal.storage.file.FileRepository;
import org.eclipse.jgit.lib.ObjectId;
import org.eclipse.jgit.lib.PersonIdent;
import org.eclipse.jgit.lib.Ref;
import org.eclipse.jgit.lib.RefUpdate;
import org.eclipse.jgit.lib.ReflogEntry;
import org.eclipse.jgit.lib.ReflogReader;

/**
 * Operations on the refs of a repository that JGit's command line does not have.
 *
 * usage: Refs GIT_DIR COMMAND [ARGUMENT...]
 *
 *   init              makes an empty repository with reftables
 *   update REF OID    sets a ref and writes a reflog entry
 *   delete REF        deletes a ref
 *   compact           compacts all tables into one
 *   lookup            reads names from standard input, prints id and name of those found
 *   list              prints id and name of all refs but HEAD
 *   log REF           prints old and new id and the message of each reflog entry
 */
public class Refs {
	public static void main(String[] args) throws Exception {
		try (FileRepository repo = new FileRepository(new File(args[0]))) {
			if (args[1].equals("init")) {
				repo.create(true);
				repo.convertRefStorage("reftable", true, false);
				return;
			}
			run(repo, (FileReftableDatabase) repo.getRefDatabase(), args);
		}
	}

	private static void run(FileRepository repo, FileReftableDatabase refs, String[] args)
			throws Exception {
		switch (args[1]) {
		case "update":
			RefUpdate update = repo.updateRef(args[2]);
			update.setNewObjectId(ObjectId.fromString(args[3]));
			update.setRefLogIdent(new PersonIdent("A U Thor", "author@example.com",
					1112911993L * 1000, 0));
			update.setRefLogMessage("written by jgit\n", false);
			update.setForceRefLog(true);
			finish(update.forceUpdate());
			break;
		case "delete":
			RefUpdate delete = repo.updateRef(args[2]);
			delete.setForceUpdate(true);
			finish(delete.delete());
			break;
		case "compact":
			refs.compactFully();
			break;
		case "lookup":
			BufferedReader names = new BufferedReader(new InputStreamReader(System.in));
			for (String name; (name = names.readLine()) != null;) {
				print(refs.exactRef(name));
			}
			break;
		case "list":
			for (Ref ref : refs.getRefsByPrefix("refs/")) {
				print(ref);
			}
			break;
		case "log":
			ReflogReader reader = repo.getReflogReader(args[2]);
			List<ReflogEntry> entries = reader == null ? Collections.emptyList()
					: reader.getReverseEntries();
			for (ReflogEntry entry : entries) {
				System.out.println(entry.getOldId().name() + " " + entry.getNewId().name()
						+ " " + entry.getComment().trim());
			}
			break;
		default:
			throw new IllegalArgumentException(args[1]);
		}
	}

	private static void print(Ref ref) {
		if (ref != null) {
			System.out.println(ref.getObjectId().name() + " " + ref.getName());
		}
	}

	private static void finish(RefUpdate.Result result) {
		switch (result) {
		case NEW:
		case FORCED:
		case FAST_FORWARD:
		case NO_CHANGE:
			return;
		default:
			throw new IllegalStateException(result.toString());
		}
	}
}
